"""Prints the latest call records. First: pip install msgraph-sdk azure-identity"""
import asyncio, os

from azure.identity import ClientSecretCredential
from msgraph import GraphServiceClient

async def main():
    base = os.environ["AZURE_AUTHORITY_HOST"]  # Callvault issues the tokens, too
    credential = ClientSecretCredential(
        *map(os.environ.get, ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"]),
        authority=base, disable_instance_discovery=True, connection_verify=os.environ.get("SSL_CERT_FILE", True))
    graph = GraphServiceClient(credential, ["https://graph.microsoft.com/.default"])
    graph.request_adapter.base_url = f"{base}/v1.0"
    for record in (await graph.communications.call_records.get()).value[:5]:
        print(record.start_date_time, record.type.value, record.id)

asyncio.run(main())
