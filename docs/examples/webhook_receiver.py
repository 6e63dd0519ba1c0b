"""Receiver of alerts: verifies the signature, and takes each message once.

pip install fastapi standardwebhooks uvicorn
SECRET=whsec_... uvicorn webhook_receiver:app --port 9000
"""

import os

from fastapi import FastAPI, HTTPException, Request
from standardwebhooks import Webhook, WebhookVerificationError

app = FastAPI()
webhook = Webhook(os.environ["SECRET"])
taken: set[str] = set()  # of a receiver that may be restarted: a table


@app.post("/alerts", status_code=204)
async def take(request: Request) -> None:
    """Take a message that is signed, unless it came before."""
    try:
        message = webhook.verify(await request.body(), dict(request.headers))
    except WebhookVerificationError as error:
        raise HTTPException(401, str(error)) from None
    if (name := request.headers["webhook-id"]) in taken:
        return
    for alert in message["data"]["alerts"]:
        print(message["type"], alert["subject"], alert["message"], flush=True)  # noqa: T201
    taken.add(name)
