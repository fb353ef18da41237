"""The wire contract as an AsyncAPI document, generated from the record models."""

from typing import Any

from pydantic.json_schema import models_json_schema

from collector.messages.descriptions import Meta, Status
from collector.messages.envelope import CONTRACT_VERSION
from collector.messages.events import Alarm, ClockSet, Gap, RecordsLost, Restart, StateChange
from collector.messages.features import Features
from collector.messages.readings import Change, Cut, Readings, Utilisation
from collector.messages.receipts import Receipt

_STREAM = "{root}/{company}/{gateway}/{machine}/{stream}"
_CHANNELS: dict[str, tuple[str, str, tuple[type, ...]]] = {
    "meta": (f"{_STREAM}/meta", "Describes a stream. QoS 1, retained; empty once it is gone.", (Meta,)),
    "features": (f"{_STREAM}/features", "One record per window. QoS 1.", (Features,)),
    "readings": (
        f"{_STREAM}/readings",
        "What the points of a controller say, and in a machine's stream `state`: times and cuts. QoS 1.",
        (Readings, Change, Utilisation, Cut),
    ),
    "event": (
        f"{_STREAM}/event",
        "What happened. QoS 1. Events of the gateway itself have machine `gateway` and stream `daemon`.",
        (Gap, Restart, ClockSet, RecordsLost, Alarm, StateChange),
    ),
    "status": (
        "{root}/{company}/{gateway}/status",
        "How the gateway is. QoS 1, retained, and the last will; empty once the gateway has another name.",
        (Status,),
    ),
    "receipt": (
        "{root}/receipt/{company}/{gateway}",
        "What the store has of a gateway's records. QoS 1; only the store may write it.",
        (Receipt,),
    ),
}
_PLACES = {
    "root": "First levels, the same in the whole group; `shopfloor/v1` by default.",
    "company": "The company.",
    "gateway": "The gateway.",
    "machine": "The machine.",
    "stream": "The stream: a waveform, a controller, or `state`.",
}


def asyncapi() -> dict[str, Any]:
    """The AsyncAPI 3.0 document of what gateways publish."""
    models = [model for _, _, models in _CHANNELS.values() for model in models]
    _, definitions = models_json_schema(
        [(model, "serialization") for model in models],
        ref_template="#/components/schemas/{model}",
    )
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "collector: features of machine tools",
            "version": str(CONTRACT_VERSION),
            "description": "Records that a gateway publishes, and the store's receipts. On MQTT 5 the user "
            "property `late` = `1` marks records that are sent after an outage.",
        },
        "defaultContentType": "application/json",
        "channels": {
            name: {
                "address": address,
                "description": text,
                "parameters": {
                    place: {"description": meaning}
                    for place, meaning in _PLACES.items()
                    if f"{{{place}}}" in address
                },
                "messages": {
                    model.__name__: {"$ref": f"#/components/messages/{model.__name__}"} for model in models
                },
            }
            for name, (address, text, models) in _CHANNELS.items()
        },
        "operations": {
            f"{'read' if name == 'receipt' else 'publish'}-{name}": {
                "action": "receive" if name == "receipt" else "send",
                "channel": {"$ref": f"#/channels/{name}"},
            }
            for name in _CHANNELS
        },
        "components": {
            "messages": {
                model.__name__: {
                    "summary": (model.__doc__ or "").strip(),
                    "payload": {"$ref": f"#/components/schemas/{model.__name__}"},
                }
                for model in models
            },
            "schemas": definitions["$defs"],
        },
    }
