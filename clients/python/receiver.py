"""Receives change notifications and prints what they tell: python3 receiver.py PORT CLIENT_STATE"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PORT, CLIENT_STATE = int(sys.argv[1]), sys.argv[2]


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        token = parse_qs(urlsplit(self.path).query).get("validationToken")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        # Answer before the work: Callvault sends nothing more until the answer is there.
        self.answer(200, token[0]) if token else self.answer(202)
        for item in [] if token else json.loads(body)["value"]:
            if item.get("clientState") != CLIENT_STATE:
                continue
            if "lifecycleEvent" in item:
                print(item["lifecycleEvent"], item["subscriptionId"], flush=True)
            else:
                print(item["changeType"], item["resourceData"]["id"], flush=True)

    def answer(self, status, text=""):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


ThreadingHTTPServer(("127.0.0.1", PORT), Receiver).serve_forever()
