"""An OPC UA server in a process of its own, whose 200 values change 30 times a second, each time by one.

`python -m benchmarks.opcua_server PORT` serves until it is ended.
"""

import asyncio
import logging
import sys
from itertools import count

from asyncua import Server, ua

ITEMS, RATE_HZ = 200, 30
NAMESPACE = "urn:collector:benchmark"


def node(number: int) -> str:
    """The id of an item, by the URI of its namespace."""
    return f"nsu={NAMESPACE};s=item-{number}"


async def _serve(port: int) -> None:
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(NAMESPACE)
    folder = await server.nodes.objects.add_folder(index, "Items")
    nodes = [ua.NodeId(f"item-{number}", index) for number in range(ITEMS)]
    for number, id_ in enumerate(nodes):
        await folder.add_variable(id_, ua.QualifiedName(f"item-{number}", index), 0.0, ua.VariantType.Double)
    async with server:
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        for turn in count(1):
            for id_ in nodes:
                await server.write_attribute_value(id_, ua.DataValue(ua.Variant(float(turn))))
            await asyncio.sleep(begun_s + turn / RATE_HZ - loop.time())


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(_serve(int(sys.argv[1])))
