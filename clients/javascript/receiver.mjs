// Receives change notifications and prints what they tell: node receiver.mjs PORT CLIENT_STATE

import { createServer } from "node:http";

const [port, clientState] = process.argv.slice(2);

createServer(async (request, response) => {
  const token = new URL(request.url, "http://localhost").searchParams.get("validationToken");
  let body = "";
  for await (const chunk of request) body += chunk;
  // Answer before the work: Callvault sends nothing more until the answer is there.
  response.writeHead(token === null ? 202 : 200, { "Content-Type": "text/plain" });
  response.end(token ?? "");
  for (const item of token === null ? JSON.parse(body).value : []) {
    if (item.clientState !== clientState) continue;
    if (item.lifecycleEvent) console.log(item.lifecycleEvent, item.subscriptionId);
    else console.log(item.changeType, item.resourceData.id);
  }
}).listen(Number(port), "127.0.0.1");
