package io.grpcstream.libp2p.dial;

import io.grpcstream.libp2p.addresses.DialTarget;
import java.net.Inet4Address;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Looks host names up, off the event loops: the JDK's resolver blocks. Uses up to {@value
 * #MAX_THREADS} threads, which end after {@value #IDLE_SECONDS} idle seconds, and at once on {@link
 * #close()}; a lookup that is under way then cannot be interrupted and ends when the system's
 * resolver does.
 */
public final class NameResolver implements AutoCloseable {
  private static final int MAX_THREADS = 4;
  private static final int IDLE_SECONDS = 5;
  private static final int MAX_WAITING = 256;

  private final ThreadPoolExecutor threads;
  private final Lookup lookup;

  /** What finds the addresses of a name, and may block. */
  interface Lookup {
    InetAddress[] addressesOf(String name) throws UnknownHostException;
  }

  /** Asks the JDK's resolver. */
  public NameResolver(ThreadFactory threadFactory) {
    this(threadFactory, InetAddress::getAllByName);
  }

  public NameResolver(ThreadFactory threadFactory, Lookup lookup) {
    this.lookup = lookup;
    threads =
        new ThreadPoolExecutor(
            MAX_THREADS,
            MAX_THREADS,
            IDLE_SECONDS,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(MAX_WAITING),
            threadFactory);
    threads.allowCoreThreadTimeOut(true);
  }

  /**
   * The addresses of {@code target}'s name, at least one. Completes on a thread of the resolver.
   */
  CompletableFuture<List<InetSocketAddress>> resolve(DialTarget target) {
    CompletableFuture<List<InetSocketAddress>> result = new CompletableFuture<>();
    try {
      threads.execute(
          () -> {
            try {
              result.complete(lookUp(target));
            } catch (UnknownHostException | RuntimeException e) {
              result.completeExceptionally(e);
            }
          });
    } catch (RejectedExecutionException e) {
      result.completeExceptionally(
          new UnknownHostException(
              target.name() + ": " + threads.getQueue().size() + " lookups wait already"));
    }
    return result;
  }

  private List<InetSocketAddress> lookUp(DialTarget target) throws UnknownHostException {
    String name = Objects.requireNonNull(target.name(), "an address needs no lookup");
    List<InetSocketAddress> found = new ArrayList<>();
    for (InetAddress address : lookup.addressesOf(name)) {
      boolean isV4 = address instanceof Inet4Address;
      boolean fits =
          switch (target.family()) {
            case ANY -> true;
            case IPV4 -> isV4;
            case IPV6 -> !isV4;
          };
      if (fits) {
        found.add(new InetSocketAddress(address, target.port()));
      }
    }
    if (found.isEmpty()) {
      throw new UnknownHostException(
          name + " has no address of the family asked for: " + target.family());
    }
    return found;
  }

  /** Ends the threads; lookups that have not begun are dropped. */
  @Override
  public void close() {
    threads.shutdownNow();
  }
}
