"""Kombu's transport over Redis, mended where an acknowledgement fails.

A worker takes as many messages as it has places, and a place is free again once its message is acknowledged. Where
Redis is away at that moment, kombu logs it and keeps the place taken for good. A worker with one place then waits for
nothing any more, without a word, though Redis came back long ago. Here the place is free all the same: the message
itself, if Redis still has it, is handed out again in time, and a task may run twice.
"""

from kombu.transport import redis, virtual


class QoS(redis.QoS):
    def ack(self, delivery_tag: str) -> None:
        try:
            super().ack(delivery_tag)
        except Exception:  # whatever it is, whoever acknowledges hears of it
            virtual.QoS.ack(self, delivery_tag)
            raise

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        try:
            super().reject(delivery_tag, requeue)
        except Exception:  # as above
            virtual.QoS.ack(self, delivery_tag)
            raise


class Channel(redis.Channel):
    QoS = QoS


class Transport(redis.Transport):
    Channel = Channel
