package io.grpcstream.samples.peercurl.doors

import io.grpc.Status
import kotlin.time.Duration

/** What happens at a door. Told on event loops: whoever listens must not block. */
public sealed interface DoorEvent {
    /** A connection, by the number that it has in this process, from an address or a peer. */
    public class Opened(
        public val connection: Long,
        public val from: String,
    ) : DoorEvent

    /** A call has ended; told if a door shows calls. */
    public class Called(
        public val connection: Long,
        public val from: String,
        public val call: FinishedCall,
    ) : DoorEvent

    /** A connection has ended, after so many bytes from the caller and to it. */
    public class Closed(
        public val connection: Long,
        public val from: String,
        public val duration: Duration,
        public val sent: Long,
        public val received: Long,
        /** Why, unless that was in good order. */
        public val cause: String?,
    ) : DoorEvent

    /** A connection was not let through; its calls are answered with [status]. */
    public class Refused(
        public val from: String,
        public val status: Status,
    ) : DoorEvent

    /** Something that its user may want to mend. */
    public class Warned(
        public val text: String,
    ) : DoorEvent
}
