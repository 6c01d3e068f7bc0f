"""From the outbox to consumers: a relay, a publisher for each kind of destination, and what a consumer needs.

``Relay(store.events, {"erp": RabbitMq("amqp://…")})`` sends what was announced; a consumer, maybe in a process that has
nothing else of shipkit, reads it with `read_cloud_event` and drops what it has seen with `SqlInbox` or `MemoryInbox`.
"""

TYPE_CHECKING = False  # both type checkers know this name
if TYPE_CHECKING:
    from .consuming import InOrder, Published, in_order, read_cloud_event
    from .host import HostCallback
    from .http import HttpWebhook
    from .inbox import Inbox, MemoryInbox, SqlInbox
    from .kafka import Kafka
    from .nats_jetstream import NatsJetStream
    from .rabbitmq import RabbitMq
    from .redis_streams import RedisStreams
    from .relay import Relay, Relayed, RelayedTo

__all__ = [
    "HostCallback",
    "HttpWebhook",
    "InOrder",
    "Inbox",
    "Kafka",
    "MemoryInbox",
    "NatsJetStream",
    "Published",
    "RabbitMq",
    "RedisStreams",
    "Relay",
    "Relayed",
    "RelayedTo",
    "SqlInbox",
    "in_order",
    "read_cloud_event",
]

_ROOMS = {
    "HostCallback": ".host",
    "HttpWebhook": ".http",
    "InOrder": ".consuming",
    "Inbox": ".inbox",
    "Kafka": ".kafka",
    "MemoryInbox": ".inbox",
    "NatsJetStream": ".nats_jetstream",
    "Published": ".consuming",
    "RabbitMq": ".rabbitmq",
    "RedisStreams": ".redis_streams",
    "Relay": ".relay",
    "Relayed": ".relay",
    "RelayedTo": ".relay",
    "SqlInbox": ".inbox",
    "in_order": ".consuming",
    "read_cloud_event": ".consuming",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        room = _ROOMS.get(name)
        if room is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(room, __name__), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
