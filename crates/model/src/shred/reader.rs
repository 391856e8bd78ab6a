//! The one walk over a record's text.

use std::collections::HashSet;

use odata::canonical::Canonicaliser;
use odata::edm::StructuredType;
use odata::json::{Member, Node, Pointer, Scanner, write_members, write_node};

use super::members::{get, get_mut, instant, integer, take};
use super::rows::{Rows, record_columns};
use super::{Error, ShreddedRecord, identities};
use crate::columns::Value;
use crate::fragment::{
    Codec, FragmentKind, PARTICIPANTS_PER_PACK, PackWriter, RecordFragment, SESSIONS_PER_PACK,
};
use crate::key::{LONGEST_ID, key};
use crate::misplaced::Misplaced;
use crate::rows::QUALITY;
use crate::{flags, generated};

pub(super) fn read(scanner: Scanner<'_>, codec: &mut dyn Codec) -> Result<ShreddedRecord, Error> {
    let mut sessions = Sessions::new();
    let mut members = read_members(scanner, codec, &mut sessions)?;
    let mut found = stated_incomplete(&members);
    require(&members, !sessions.ids.is_empty())?;
    let says_modified = get(&members, "lastModifiedDateTime").is_some();
    let mut canonicaliser = Canonicaliser::new(resolve);
    canonicaliser.object(&mut members, &generated::CALL_RECORD, &Pointer::Root)?;
    default_members(&mut members, says_modified);

    let participants = identities::derive(&mut members, &mut canonicaliser, &mut found)?;
    if canonicaliser.has_unsettled_enum() || sessions.canonicaliser.has_unsettled_enum() {
        found |= flags::UNSETTLED_ENUM;
    }
    sessions.finish_pack(codec);

    let record = RecordFragment::of(&members);
    let mut hash = sessions.hash;
    hash.update(&record).update(&(found & !flags::UNSETTLED_ENUM).to_le_bytes());
    let (participant_packs, participant_keys) = pack_participants(&participants, codec, &mut hash)?;
    let id = id(&members, &Pointer::Root)?;
    sessions.rows.add_words(&members, &generated::CALL_RECORD);
    for participant in &participants {
        let members = participant.as_object().unwrap_or_default();
        sessions.rows.add_words(members, &generated::PARTICIPANT);
    }
    let mut undeclared = canonicaliser.into_undeclared();
    undeclared.extend(sessions.canonicaliser.into_undeclared());
    let mut columns = record_columns(&members);
    columns.push(Value::Int(participants.len() as i64));
    sessions.rows.note_values(&members);
    let rows = sessions.rows.finish(columns);
    found |= flags::of_rows(rows.is_plain);
    Ok(ShreddedRecord {
        id_key: key(&id),
        id,
        version: integer(&members, "version").unwrap_or(1),
        start: instant(&members, "startDateTime").unwrap_or_default(),
        end: instant(&members, "endDateTime").unwrap_or_default(),
        flags: found,
        content_hash: *hash.finalize().as_bytes(),
        record: codec.compress(FragmentKind::Record, &record),
        participant_packs,
        session_packs: sessions.packs,
        participant_keys,
        rows,
        undeclared,
    })
}

/// The type of an endpoint or a user agent that does not say it: what has members of its own kind
/// is of that kind.
fn resolve(
    declared: &'static StructuredType,
    members: &[Member<'_>],
) -> Option<&'static StructuredType> {
    let has = |name: &str| members.iter().any(|member| member.name.is(name));
    if std::ptr::eq(declared, &raw const generated::ENDPOINT) {
        let own = generated::PARTICIPANT_ENDPOINT.properties.iter();
        let is_participant = own.filter(|property| !property.is_inherited).any(|p| has(p.name));
        return Some(if is_participant {
            &generated::PARTICIPANT_ENDPOINT
        } else {
            &generated::SERVICE_ENDPOINT
        });
    }
    if std::ptr::eq(declared, &raw const generated::USER_AGENT) {
        let is_service = has("role");
        return Some(if is_service {
            &generated::SERVICE_USER_AGENT
        } else {
            &generated::CLIENT_USER_AGENT
        });
    }
    None
}

/// Reads all members but the sessions, which are shredded on the way.
fn read_members<'a>(
    mut scanner: Scanner<'a>,
    codec: &mut dyn Codec,
    sessions: &mut Sessions,
) -> Result<Vec<Member<'a>>, Error> {
    scanner.enter_object()?;
    let mut members: Vec<Member<'a>> = Vec::with_capacity(16);
    let (mut is_first, mut had_sessions) = (true, false);
    while let Some(name) = scanner.next_member(is_first)? {
        is_first = false;
        let is_sessions = name.is("sessions");
        if is_sessions && had_sessions || members.iter().any(|member| member.name == name) {
            let message = format!("the member '{}' stands twice", name.value());
            return Err(scanner.error(message).into());
        }
        had_sessions |= is_sessions;
        if is_sessions && scanner.at_array() {
            scanner.enter_array()?;
            while scanner.next_item(sessions.rows.rows.sessions.is_empty())? {
                let node = scanner.value()?;
                sessions.push(node, codec)?;
                scanner.let_go();
            }
            continue;
        }
        let value = scanner.value()?;
        match value {
            Node::Null if is_sessions => {}
            other if is_sessions => {
                let message = format!("expected an array, found {}", other.kind());
                return Err(Error::Invalid { pointer: "/sessions".into(), message });
            }
            value => members.push(Member { name, value }),
        }
    }
    members.retain(|member| !is_made(member));
    scanner.end()?;
    Ok(members)
}

/// Sessions, shredded one by one.
struct Sessions {
    canonicaliser: Canonicaliser,
    ids: HashSet<Vec<u8>>,
    pack: PackWriter,
    packs: Vec<Vec<u8>>,
    rows: Rows,
    hash: blake3::Hasher,
    members: Vec<u8>,
    segments: Vec<u8>,
}

impl Sessions {
    fn new() -> Self {
        Self {
            canonicaliser: Canonicaliser::new(resolve),
            ids: HashSet::new(),
            pack: PackWriter::default(),
            packs: Vec::new(),
            rows: Rows::default(),
            hash: blake3::Hasher::new(),
            members: Vec::new(),
            segments: Vec::new(),
        }
    }

    fn push(&mut self, node: Node<'_>, codec: &mut dyn Codec) -> Result<(), Error> {
        let (root, name) = (Pointer::Root, "sessions");
        let all = Pointer::Member(&root, name);
        let at = Pointer::Item(&all, self.rows.rows.sessions.len());
        let mut members = object(node, &at)?;
        members.retain(|member| !is_made(member));
        self.canonicaliser.object(&mut members, &generated::SESSION, &at)?;
        let id = id(&members, &at)?;
        if !self.ids.insert(key(&id)) {
            return Err(twice(&at, &id));
        }
        self.rows.add_words(&members, &generated::SESSION);
        let mut segments = take(&mut members, "segments");
        segments.iter_mut().for_each(drop_verdicts_of_streams);
        let segments = segments.as_ref().and_then(Node::as_array).unwrap_or_default();
        self.rows.session(key(&id), &members);
        self.write_segments(segments, &at)?;
        self.members.clear();
        write_members(&mut self.members, &members);
        self.pack.push(id.as_bytes(), &self.members, &self.segments);
        if self.pack.len() == SESSIONS_PER_PACK {
            self.finish_pack(codec);
        }
        Ok(())
    }

    fn write_segments(
        &mut self,
        segments: &[Node<'_>],
        session: &Pointer<'_>,
    ) -> Result<(), Error> {
        let all = Pointer::Member(session, "segments");
        let mut ids = HashSet::new();
        self.segments.clear();
        for (index, segment) in segments.iter().enumerate() {
            let at = Pointer::Item(&all, index);
            let members = segment.as_object().unwrap_or_default();
            let id = id(members, &at)?;
            if !ids.insert(key(&id)) {
                return Err(twice(&at, &id));
            }
            self.rows.segment(index, members);
            if index > 0 {
                self.segments.push(b',');
            }
            write_node(&mut self.segments, segment);
        }
        Ok(())
    }

    fn finish_pack(&mut self, codec: &mut dyn Codec) {
        if !self.pack.is_empty() {
            let pack = self.pack.take();
            self.hash.update(&pack);
            self.packs.push(codec.compress(FragmentKind::Sessions, &pack));
        }
    }
}

/// Takes the verdicts out of the streams of segments.
fn drop_verdicts_of_streams(segments: &mut Node<'_>) {
    let Node::Array(segments) = segments else { return };
    for segment in segments {
        for media in inner_mut(segment, "media") {
            for stream in inner_mut(media, "streams") {
                if let Node::Object(members) = stream {
                    members.retain(|member| !is_made(member));
                }
            }
        }
    }
}

/// The items of a member that is a collection.
fn inner_mut<'n, 'a>(node: &'n mut Node<'a>, name: &str) -> &'n mut [Node<'a>] {
    let Node::Object(members) = node else { return &mut [] };
    match get_mut(members, name) {
        Some(Node::Array(items)) => items,
        _ => &mut [],
    }
}

/// Whether it is a verdict, which is made of the record, or an annotation of one.
fn is_made(member: &Member<'_>) -> bool {
    member
        .name
        .raw()
        .strip_prefix(QUALITY)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
}

fn stated_incomplete(members: &[Member<'_>]) -> u32 {
    let has = |property: &str| {
        members.iter().any(|member| {
            let name = member.name.raw().strip_prefix(property);
            matches!(name, Some("@odata.nextLink" | "@nextLink"))
                && matches!(member.value, Node::String(_))
        })
    };
    let mut found = 0;
    if has("sessions") {
        found |= flags::SESSIONS_INCOMPLETE;
    }
    if has("participants_v2") {
        found |= flags::PARTICIPANTS_INCOMPLETE;
    }
    found
}

fn require(members: &[Member<'_>], has_sessions: bool) -> Result<(), Error> {
    if !has_sessions && let Some((found, pointer)) = Misplaced::of_members(members) {
        return Err(Error::Invalid { pointer, message: found.to_string() });
    }
    for name in ["id", "startDateTime", "endDateTime"] {
        let value = get(members, name);
        if matches!(value, None | Some(Node::Null)) {
            let message = format!("'{name}' is required{}", other_spelling(members, name));
            return Err(Error::Invalid { pointer: format!("/{name}"), message });
        }
    }
    let version = get(members, "version");
    if let Some(Node::Number(digits)) = version
        && digits.starts_with('-')
    {
        let message = format!("{digits} is not a version");
        return Err(Error::Invalid { pointer: "/version".into(), message });
    }
    Ok(())
}

/// Members that are compared with a required one that is not there, at most.
const MOST_COMPARED: usize = 64;

/// A member with nearly the same letters: misspelt, or as programs write them whose objects have names of
/// another style.
fn other_spelling(members: &[Member<'_>], name: &str) -> String {
    let names: Vec<_> = members.iter().take(MOST_COMPARED).map(|it| it.name.value()).collect();
    let mut same = names.iter().filter(|it| it.replace('_', "").eq_ignore_ascii_case(name));
    let like = same.next().map(|it| &**it);
    let like = like.or_else(|| odata::nearest(name, names.iter().map(|name| &**name)));
    like.map_or_else(String::new, |it| format!("; did you mean it by '{it}'?"))
}

/// What a record does not say of itself and its type has no default for. A version is a key, so null is
/// none as well.
fn default_members(members: &mut [Member<'_>], says_modified: bool) {
    let end = get(members, "endDateTime").cloned().unwrap_or(Node::Null);
    for member in members {
        if !matches!(member.value, Node::Null) {
            continue;
        }
        if member.name.is("version") {
            member.value = Node::Number("1".into());
        } else if member.name.is("lastModifiedDateTime") && !says_modified {
            member.value = end.clone();
        }
    }
}

type Packs = Vec<Vec<u8>>;

fn pack_participants(
    participants: &[Node<'_>],
    codec: &mut dyn Codec,
    hash: &mut blake3::Hasher,
) -> Result<(Packs, Vec<Vec<u8>>), Error> {
    let (root, name) = (Pointer::Root, "participants_v2");
    let all = Pointer::Member(&root, name);
    let mut pack = PackWriter::default();
    let mut packs = Vec::new();
    let mut keys = Vec::with_capacity(participants.len());
    let mut seen = HashSet::new();
    let mut text = Vec::new();
    for (index, participant) in participants.iter().enumerate() {
        let members = participant.as_object().unwrap_or_default();
        let id = id(members, &Pointer::Item(&all, index))?;
        text.clear();
        write_members(&mut text, members);
        pack.push(id.as_bytes(), &text, &[]);
        if seen.insert(key(&id)) {
            keys.push(key(&id));
        }
        if pack.len() == PARTICIPANTS_PER_PACK || index + 1 == participants.len() {
            let pack = pack.take();
            hash.update(&pack);
            packs.push(codec.compress(FragmentKind::Participants, &pack));
        }
    }
    Ok((packs, keys))
}

fn id(members: &[Member<'_>], at: &Pointer<'_>) -> Result<String, Error> {
    let at = Pointer::Member(at, "id");
    let invalid =
        |message: &str| Error::Invalid { pointer: at.to_string(), message: message.into() };
    match get(members, "id") {
        Some(Node::String(text)) => {
            let id = text.value().into_owned();
            if id.is_empty() || id.len() > LONGEST_ID {
                return Err(invalid("an id has 1 to 256 bytes"));
            }
            Ok(id)
        }
        _ => Err(invalid("'id' is required")),
    }
}

fn object<'a>(node: Node<'a>, at: &Pointer<'_>) -> Result<Vec<Member<'a>>, Error> {
    match node {
        Node::Object(members) => Ok(members),
        other => {
            let message = format!("expected an object, found {}", other.kind());
            Err(Error::Invalid { pointer: at.to_string(), message })
        }
    }
}

fn twice(at: &Pointer<'_>, id: &str) -> Error {
    let pointer = Pointer::Member(at, "id").to_string();
    Error::Invalid { pointer, message: format!("the id '{id}' stands twice") }
}
