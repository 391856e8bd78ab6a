// What Graph calls callRecord, session and segment. What is looked for has a column, and what stands
// inside of these is JSON, which SQLite puts into the answer as it is.
namespace communications;

service CallRecords @(path: '/odata/v4/communications') {
    entity callRecords {
        key id                   : UUID;
            version              : Int64;
            type                 : String;
            modalities           : many String;
            lastModifiedDateTime : Timestamp;
            startDateTime        : Timestamp;
            endDateTime          : Timestamp;
            joinWebUrl           : String;
            organizer            : Map;
            participants         : many Map;
            organizer_v2         : Map;
            sessions             : Composition of many sessions on sessions.callRecord = $self;
            participants_v2      : Composition of many participants on participants_v2.callRecord = $self;
    }

    entity participants {
        key callRecord              : Association to callRecords;
        key id                      : String;
            identity                : Map;
            administrativeUnitInfos : many Map;
    }

    entity sessions {
        key id            : UUID;
            callRecord    : Association to callRecords;
            modalities    : many String;
            startDateTime : Timestamp;
            endDateTime   : Timestamp;
            isTest        : Boolean;
            failureInfo   : Map;
            caller        : Map;
            callee        : Map;
            segments      : Composition of many segments on segments.session = $self;
    }

    entity segments {
        key id            : UUID;
            session       : Association to sessions;
            startDateTime : Timestamp;
            endDateTime   : Timestamp;
            failureInfo   : Map;
            caller        : Map;
            callee        : Map;
            media         : many Map;
    }
}
