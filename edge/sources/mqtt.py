"""An MQTT broker: subscribed topics become measurements, and a message is acknowledged once it is on disk.

The session outlives the connection and the agent: what devices publish meanwhile waits at the broker. A message that
was stored but not acknowledged when the agent died is delivered again, and then stored a second time.
"""

from __future__ import annotations

import logging
import random
import threading
from typing import NamedTuple

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.instant import Instant, InstantClock
from edge.sources.deliveries import Deliveries, Delivery
from edge.sources.inbox import Inbox
from edge.sources.messages import MessageReader, Reading, hand_over
from edge.sources.settings import MqttSettings, SubscriptionSettings
from edge.sources.source import Acknowledge, Outlet, Stopped
from edge.sources.tls import tls_context
from edge.sources.topic_template import TopicTemplate
from schemas.errors import InvalidMessage, Reason

LOG = logging.getLogger(__name__)

_QOS = 1
_INBOX_MESSAGES = 1_000
"""Messages of QoS 0 are not held back by acknowledgements: with so many waiting, the network is."""


class _Incoming(NamedTuple):
    topic: str
    payload: bytes
    retained: bool
    now: Instant
    acknowledge: Acknowledge | None


class MqttSource:
    """Reads one broker; see `edge.sources.source.LiveSource`."""

    def __init__(self, settings: MqttSettings, clock: InstantClock, rng: random.Random) -> None:
        self._settings = settings
        self._clock = clock
        self._rng = rng
        self._topics = [_Topic(one, settings.name) for one in settings.subscriptions]

    @property
    def name(self) -> str:
        """Of the source."""
        return self._settings.name

    def run(self, outlet: Outlet, stop: threading.Event) -> None:
        """Read until `stop` is set; a broker that is away is tried again and again."""
        inbox: Inbox[_Incoming] = Inbox(self._settings.receive_maximum + _INBOX_MESSAGES, stop)
        connection = _Connection(self._settings, self._clock, outlet, inbox)
        connection.open(self._rng)
        try:
            while not stop.is_set():
                message = inbox.take()
                if message is not None:
                    self._take(message, outlet)
                else:
                    connection.revive()
        except Stopped:
            LOG.info("%s: stopped; the broker keeps what is not acknowledged", self.name)
        finally:
            connection.close()

    def _take(self, message: _Incoming, outlet: Outlet) -> None:
        found = ((topic, topic.template.read(message.topic)) for topic in self._topics)
        topic, names = next(((topic, names) for topic, names in found if names is not None), (None, None))
        if topic is None or names is None:
            detail = f"topic {message.topic[:200]!r} fits none of the subscriptions"
            reading = Reading(self.name, (), InvalidMessage(Reason.BAD_IDENTIFIER, detail))
        elif message.retained and not topic.tells_time:
            detail = "a retained message without a time of its own: nobody knows when it was measured"
            reading = Reading(self.name, (), InvalidMessage(Reason.BAD_TIMESTAMP, detail))
        else:
            reading = topic.reader.read(message.payload, message.now, device_id=names.device, sensor=names.sensor)
        hand_over(reading, message.payload, message.now, outlet, message.acknowledge)


class _Topic:
    """One subscription: which topics it stands for and how their messages are read."""

    def __init__(self, settings: SubscriptionSettings, source_name: str) -> None:
        self.template = TopicTemplate(settings.topic)
        self.tells_time = settings.reading.time is not None
        self.reader = MessageReader(settings.reading, settings.device_id or source_name)


class _Connection:
    """The connection to the broker and its session; the callbacks run in the library's network thread."""

    def __init__(self, settings: MqttSettings, clock: InstantClock, outlet: Outlet, inbox: Inbox[_Incoming]) -> None:
        self._settings = settings
        self._clock = clock
        self._outlet = outlet
        self._inbox = inbox
        self._filters = [TopicTemplate(one.topic).topic_filter for one in settings.subscriptions]
        self._detail = ""
        self._subscribed = False
        self._client = _client(settings)
        self._deliveries = Deliveries(self._acknowledge)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_connect_fail = self._on_connect_fail
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message

    def open(self, rng: random.Random) -> None:
        """Connect, and again whenever the connection is lost."""
        retry = self._settings.retry
        # Whole seconds are all that the library takes; the chance keeps a hall of agents apart.
        first_s = max(1, round(retry.first_s * rng.uniform(1.0, 3.0)))
        self._client.reconnect_delay_set(first_s, max(first_s, round(retry.longest_s)))
        self._connect()
        self._client.loop_start()

    def revive(self) -> None:
        """Begin anew if an error in a callback has ended the library's network thread."""
        if self._client.loop_start() is MQTTErrorCode.MQTT_ERR_SUCCESS:
            LOG.error("%s: the MQTT client failed and begins anew", self._settings.name)
            self._deliveries.disconnected()
            self._outlet.state(False, "failed; connecting again")
            self._client.loop_stop()
            self._connect()
            self._client.loop_start()

    def close(self) -> None:
        """Leave the broker; the session stays there."""
        self._client.disconnect()
        self._client.loop_stop()
        self._deliveries.disconnected()

    def _connect(self) -> None:
        settings = self._settings
        if settings.version != "5":
            # Here the session was asked for when the client was made.
            self._client.connect_async(settings.host, settings.port_number, settings.keep_alive_s)
            return
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call] # of the library
        properties.SessionExpiryInterval = settings.session_expiry_s
        properties.ReceiveMaximum = settings.receive_maximum
        self._client.connect_async(
            settings.host, settings.port_number, settings.keep_alive_s, clean_start=False, properties=properties
        )

    def _acknowledge(self, number: int) -> None:
        # Where this fails the connection is breaking, and the message will be delivered again.
        self._client.ack(number, _QOS)

    def _on_connect(
        self, client: Client, userdata: object, flags: ConnectFlags, reason: ReasonCode, properties: Properties | None
    ) -> None:
        del client, userdata, properties
        where = f"{self._settings.host}:{self._settings.port_number}"
        if reason.is_failure:
            self._outlet.state(False, f"{where} refused: {reason}")
            return
        self._deliveries.connected(flags.session_present)
        self._detail = f"{where}, session {'resumed' if flags.session_present else 'new'}"
        if flags.session_present and self._subscribed:
            self._outlet.state(True, self._detail)
        else:
            # Also where the session is there: the configuration may ask for other topics than at the last start.
            self._subscribe()

    def _subscribe(self) -> None:
        if self._settings.version != "5":
            self._client.subscribe([(one, _QOS) for one in self._filters])
            return
        # Retained messages are old readings: they come with a new subscription only.
        options = SubscribeOptions(qos=_QOS, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        self._client.subscribe([(one, options) for one in self._filters])

    def _on_subscribe(
        self, client: Client, userdata: object, number: int, reasons: list[ReasonCode], properties: Properties | None
    ) -> None:
        del client, userdata, number, properties
        refused = [f"{one}: {reason}" for one, reason in zip(self._filters, reasons, strict=False) if reason.is_failure]
        # Only now does what devices publish come here.
        detail = f"subscription refused: {', '.join(refused)}" if refused else self._detail
        self._subscribed = not refused
        self._outlet.state(not refused, detail)

    def _on_disconnect(
        self,
        client: Client,
        userdata: object,
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del client, userdata, flags, properties
        self._deliveries.disconnected()
        self._outlet.state(False, f"disconnected: {reason}")

    def _on_connect_fail(self, client: Client, userdata: object) -> None:
        del client, userdata
        self._outlet.state(False, f"{self._settings.host}:{self._settings.port_number} does not answer")

    def _on_message(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        del client, userdata
        now = self._clock.now()
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        payload = bytes(message.payload)
        acknowledge = None
        if message.qos > 0:
            acknowledge = self._deliveries.receive(Delivery(message.mid, topic, payload, message.dup))
            if acknowledge is None:
                return
        # Without room the network waits, and with it the broker: nothing is dropped here.
        self._inbox.put(_Incoming(topic, payload, message.retain, now, acknowledge))


def _client(settings: MqttSettings) -> Client:
    version5 = settings.version == "5"
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=settings.client_id,
        clean_session=None if version5 else False,
        protocol=MQTTProtocolVersion.MQTTv5 if version5 else MQTTProtocolVersion.MQTTv311,
        manual_ack=True,
    )
    if settings.username is not None:
        password = settings.password
        client.username_pw_set(settings.username, None if password is None else password.get_secret_value())
    if settings.tls is not None:
        client.tls_set_context(tls_context(settings.tls))
    return client
