package io.grpcstream.libp2p.util;

import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.FastThreadLocalThread;
import java.util.concurrent.ThreadFactory;

/** A thread of a host's own event loops, on which nothing may wait. */
public final class HostThread extends FastThreadLocalThread {
  private HostThread(Runnable task, String name) {
    super(task, name);
  }

  /** A factory of daemon threads that are named with {@code prefix} and a number. */
  public static ThreadFactory factory(String prefix) {
    return new DefaultThreadFactory(prefix, true) {
      @Override
      protected Thread newThread(Runnable task, String name) {
        return new HostThread(task, name);
      }
    };
  }

  /** Whether the caller runs on one, and so must not wait. */
  public static boolean isCurrent() {
    return Thread.currentThread() instanceof HostThread;
  }
}
