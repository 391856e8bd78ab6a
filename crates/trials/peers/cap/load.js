// Makes the database, and puts in the call records that come as lines of JSON.

const cds = require('@sap/cds')
const readline = require('node:readline')

/** Records that are put in by one transaction. */
const BATCH = 200

/** CAP makes none for what is looked for and followed. */
const INDEXES = [
  'by_start ON communications_CallRecords_callRecords (startDateTime, id)',
  'by_record ON communications_CallRecords_sessions (callRecord_id)',
  'by_session ON communications_CallRecords_segments (session_id)'
]

/** The same value without what CDS has no member for: annotations of OData. */
function withoutAnnotations (value) {
  if (Array.isArray(value)) return value.map(withoutAnnotations)
  if (value === null || typeof value !== 'object') return value
  const members = Object.entries(value).filter(([name]) => !name.includes('@odata.'))
  return Object.fromEntries(members.map(([name, member]) => [name, withoutAnnotations(member)]))
}

async function load () {
  cds.root = __dirname
  const model = await cds.load('*')
  cds.model = cds.compile.for.nodejs(model)
  const db = await cds.connect.to('db')
  await cds.deploy(model).to(db)
  for (const index of INDEXES) await db.run(`CREATE INDEX ${index}`)
  let batch = []
  const put = () => db.tx(tx => tx.run(INSERT.into('communications.CallRecords.callRecords').entries(batch)))
  for await (const line of readline.createInterface({ input: process.stdin })) {
    batch.push(withoutAnnotations(JSON.parse(line)))
    if (batch.length === BATCH) {
      await put()
      batch = []
    }
  }
  if (batch.length > 0) await put()
}

load().then(() => process.exit(0), error => {
  console.error(error)
  process.exit(1)
})
