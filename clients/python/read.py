"""Prints the latest call records. First: pip install msgraph-sdk azure-identity"""
import asyncio, os, sys

from azure.identity import ClientSecretCredential
from msgraph import GraphServiceClient

NAMES = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"]

async def main():
    missing = [name for name in ["AZURE_AUTHORITY_HOST", *NAMES] if name not in os.environ]
    if missing:
        sys.exit(f"export {', '.join(missing)} first: callvault demo --tls prints the lines")
    if not os.path.exists(os.environ.get("SSL_CERT_FILE", "/")):
        sys.exit(f"export SSL_CERT_FILE again: {os.environ['SSL_CERT_FILE']} is gone, and a new demo has another")
    base = os.environ["AZURE_AUTHORITY_HOST"]  # Callvault issues the tokens, too
    credential = ClientSecretCredential(
        *map(os.environ.get, NAMES),
        authority=base, disable_instance_discovery=True, connection_verify=os.environ.get("SSL_CERT_FILE", True))
    graph = GraphServiceClient(credential, ["https://graph.microsoft.com/.default"])
    graph.request_adapter.base_url = f"{base}/v1.0"
    for record in (await graph.communications.call_records.get()).value[:5]:
        print(record.start_date_time, record.type.value, record.id)

asyncio.run(main())
