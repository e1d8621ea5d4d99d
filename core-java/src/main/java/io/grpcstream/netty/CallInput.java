package io.grpcstream.netty;

/**
 * What one call has received, and what of it was given back to the sender; see {@link CallWindows}.
 */
final class CallInput {
  /** When the call began. */
  final long startedAt = System.nanoTime();

  final MessageProgress message = new MessageProgress();

  /** What holds that which is unread or withheld. */
  final RetainedFrames frames = new RetainedFrames();

  /** Bytes that gRPC has not taken, as the service has not asked for their message. */
  int unread;

  /** Bytes that gRPC has taken, of the message that is not complete; not given back yet. */
  int withheld;

  /** Bytes of window reserved for the message that is not complete. */
  int extra;

  /** When {@link #extra} was reserved, and what had been received by then. */
  long grantedAt;

  long receivedAtGrant;

  /** Bytes of data, of all messages. */
  long received;

  /** Bytes of window reserved until the call ends. */
  int grown;

  /** Bytes given back since {@link #growthAt}, when the window last grew or could have. */
  long sinceGrowth;

  long growthAt = startedAt;

  /** Bytes of memory counted for this call. */
  long held;

  /** When bytes of the message that is not complete last came, or might come again. */
  long progressAt;
}
