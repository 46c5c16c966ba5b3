"""The broker: the part of the backend that clients see. It never blocks and never imports torch."""

from .server import Broker
from .settings import BrokerSettings

__all__ = ["Broker", "BrokerSettings"]
