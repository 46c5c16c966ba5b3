"""The names of all messages; docs/protocol.md says what each carries."""

HELLO = "hello"
SUBMIT = "submit"
CANCEL = "cancel"
PING = "ping"
STATUS = "status"
UNLOAD = "unload"
SHUTDOWN = "shutdown"
BYE = "bye"

WELCOME = "welcome"
ACCEPTED = "accepted"
PROGRESS = "progress"
RESULT = "result"
ERROR = "error"
CANCELLED = "cancelled"
PONG = "pong"
DONE = "done"

READY = "ready"
HEARTBEAT = "heartbeat"
EXIT = "exit"

MAX_IMAGE_BYTES = 256 << 20
