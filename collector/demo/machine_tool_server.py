"""The program of the shop's machine tool: its OPC UA server, until standard input ends.

What OPC 40501-1 says of a machine tool stands where its profile looks for it, as far as it is used here;
speed, load and tool, which the standard does not have, are the maker's. Types have the standard's numbers.
"""

import asyncio
import contextlib
import gc
import logging
import sys
from datetime import UTC, datetime

from asyncua import Server, ua
from asyncua.common.node import Node

from collector.clock import monotonic_ns
from collector.demo.machine_tool import MAKER, values
from collector.demo.shop import Activity, at

_MACHINERY = "http://opcfoundation.org/UA/Machinery/"
_MACHINE_TOOL = "http://opcfoundation.org/UA/MachineTool/"
_MACHINES_FOLDER, _MACHINE_TYPE, _SPINDLE_TYPE = 1001, 13, 22
_TICK_S = 0.05

Nodes = dict[str, tuple[Node, ua.VariantType]]


async def serve(port: int, name: str, began_ns: int) -> None:
    """Serve the machine `name` until standard input ends."""
    logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)
    gc.disable()  # nearly all that is made now stays: looking for garbage would take a third of the time
    server = Server()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    nodes = await _build(server, name)
    gc.enable()
    async with server:
        showing = asyncio.create_task(_show(server, nodes, began_ns))
        await asyncio.to_thread(sys.stdin.buffer.read)
        showing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await showing


async def _show(server: Server, nodes: Nodes, began_ns: int) -> None:
    while True:
        moment = at((monotonic_ns() - began_ns) / 1e9)
        # Switched off, the control behind the server gives no values.
        is_off = moment.activity is Activity.OFF
        status = ua.StatusCode(ua.StatusCodes.BadNoCommunication if is_off else ua.StatusCodes.Good)
        for name, value in values(moment).items():
            node, kind = nodes[name]
            data = ua.DataValue(ua.Variant(value, kind), status, SourceTimestamp=datetime.now(UTC))
            await server.write_attribute_value(node.nodeid, data)
        await asyncio.sleep(_TICK_S)


async def _build(server: Server, name: str) -> Nodes:
    """The machine and its nodes, by the names of `values`."""
    machinery, standard, maker = [
        await server.register_namespace(uri) for uri in (_MACHINERY, _MACHINE_TOOL, MAKER)
    ]
    types = server.nodes.base_object_type
    for number, type_name in ((_MACHINE_TYPE, "MachineToolType"), (_SPINDLE_TYPE, "SpindleType")):
        await types.add_object_type(ua.NodeId(number, standard), ua.QualifiedName(type_name, standard))
    objects, folder_id = server.nodes.objects, ua.NodeId(_MACHINES_FOLDER, machinery)
    machines = await objects.add_folder(folder_id, ua.QualifiedName("Machines", machinery))
    machine = await machines.add_object(maker, name, ua.NodeId(_MACHINE_TYPE, standard))
    monitoring = await machine.add_object(standard, "Monitoring")
    tool = await monitoring.add_object(standard, "MachineTool")
    spindle = await monitoring.add_object(standard, "Spindle", ua.NodeId(_SPINDLE_TYPE, standard))
    production = await machine.add_object(standard, "Production")
    program = await production.add_object(standard, "ActiveProgram")
    state = await (await program.add_object(standard, "State")).add_object(0, "CurrentState")
    places = {
        "operation-mode": (tool, standard, "OperationMode", ua.VariantType.Int32),
        "feed-override": (tool, standard, "FeedOverride", ua.VariantType.Double),
        "program-name": (program, standard, "Name", ua.VariantType.String),
        "program-state": (state, 0, "Number", ua.VariantType.UInt32),
        "is-rotating": (spindle, standard, "IsRotating", ua.VariantType.Boolean),
        "spindle-override": (spindle, standard, "Override", ua.VariantType.Double),
        "spindle-speed": (spindle, maker, "ActualSpeed", ua.VariantType.Double),
        "spindle-load": (spindle, maker, "Load", ua.VariantType.Double),
        "tool-number": (tool, maker, "ToolNumber", ua.VariantType.UInt16),
    }
    first = values(at(0.0))
    nodes = {}
    for point, (parent, index, browse_name, kind) in places.items():
        node_id, qualified = ua.NodeId(point, maker), ua.QualifiedName(browse_name, index)
        nodes[point] = await parent.add_variable(node_id, qualified, ua.Variant(first[point], kind)), kind
    return nodes


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
