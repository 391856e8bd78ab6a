"""The collector with one mistake that collectors of call records are known for, to see that the
emulator warns of it: python3 faulty.py MISTAKE, and what collector.py takes."""

import sys

import collector
from collector import Collector, Graph


class FirstPage(Graph):
    """Takes the first page for all there is."""

    def rest(self, link):
        if not link or "$skiptoken" in link or "$skip" in link:
            return []
        return self.send("GET", link)["value"]


class OwnSkip(Graph):
    """Counts rows itself in the link to the second page, until a page has none."""

    def rest(self, link):
        skip = 0
        while link:
            page = self.send("GET", link)
            yield from page["value"]
            link = page.get("@odata.nextLink", link if skip and page["value"] else None)
            if link and "$skip=" in link:
                skip += 1000
                link = link[: link.index("$skip=")] + f"$skip={skip}"


class Impatient(Graph):
    """Tries again at once."""

    def asked_to_wait(self, headers, otherwise):
        return 0.2


class CreatedOnly(Collector):
    """Wants to be told of first versions only."""

    CHANGE_TYPES = "created"


class Gullible(Collector):
    """Believes whoever knows its address."""

    def accepts(self, item):
        return True


class WithoutState(Gullible):
    """Has nothing to know genuine messages by."""

    def wish(self, url):
        wish = super().wish(url)
        del wish["clientState"]
        return wish


MISTAKES = {
    "first-page-only": (Collector, FirstPage),
    "edits-links": (Collector, OwnSkip),
    "ignores-retry-after": (Collector, Impatient),
    "created-only": (CreatedOnly, Graph),
    "client-state-not-checked": (Gullible, Graph),
    "no-client-state": (WithoutState, Graph),
}

if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in MISTAKES:
        collector.main(*MISTAKES[sys.argv[1]], sys.argv[2:])
    else:
        sys.exit(f"usage: faulty.py {'|'.join(MISTAKES)} …")
