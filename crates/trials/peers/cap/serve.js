// Serves the call records, and says where.

const cds = require('@sap/cds')

cds.root = __dirname
cds.server({ port: 0 }).then(server => {
  const say = () => console.log(`listening on http://127.0.0.1:${server.address().port}`)
  server.listening ? say() : server.once('listening', say)
})
