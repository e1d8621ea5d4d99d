package io.grpcstream;

import io.grpc.Context;
import io.grpc.ForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCall.Listener;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpcstream.failures.FailureCall;
import io.grpcstream.failures.FailureLog;
import io.grpcstream.failures.FailureMapping;
import io.grpcstream.failures.MalformedRequest;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Turns what goes wrong in services and interceptors into statuses, and logs it once, with method
 * and peer, by SLF4J. Every {@link GrpcStream} has one around all its interceptors; see {@link
 * GrpcStream.Builder#mapFailure} for what becomes of which failure. To have the same on any other
 * gRPC server, make it the last interceptor that is added.
 *
 * <ul>
 *   <li>An exception or an error that a service or an interceptor throws, in {@code interceptCall},
 *       {@code startCall} or a listener, ends that call alone: nothing is thrown on into gRPC, on
 *       whatever thread it runs. As in gRPC, exceptions pass through the interceptors on their way,
 *       and each may handle them.
 *   <li>A failure without a status that a service gives to {@code StreamObserver.onError}, or
 *       closes the call with as the cause of {@code UNKNOWN}, is mapped and logged likewise. A
 *       status that the service chose goes out as it is; its cause is logged.
 *   <li>What nobody foresaw is an error in the log, with its stack; a warning where its type alone
 *       gave another status than {@code UNKNOWN}. What the service or {@code mapFailure} has chosen
 *       a status for is one line at level info, with type, text and place, but no stack; unless the
 *       choice is {@code UNKNOWN} or {@code INTERNAL}, or it was made for an {@code Error}.
 *   <li>A service that throws when its call has ended is logged; the peer has its status already.
 *   <li>Status exceptions and cancellations of a call that its caller has given up are ordinary
 *       life, and seen at debug level.
 * </ul>
 *
 * <p>After a failure the service hears {@code onCancel}, and no other event; what it still sends is
 * dropped. Peers can cause failures at will, so that of each kind (method, exception, place) one in
 * 10 seconds is logged, the first one always; others are counted, and seen at debug level.
 *
 * <p>Within another one, such as that of a {@link GrpcStream}, it applies the other's mapping
 * before its own, and uses the other's log; then the interceptors between the two see the statuses
 * that the peer gets. Thread-safe.
 */
public final class FailureInterceptor implements ServerInterceptor {
  private final FailureMapping mapping;
  private final FailureLog log = new FailureLog();
  private final boolean outermost;

  /**
   * One with the mapping of {@link GrpcStream.Builder#mapFailure}.
   *
   * @param hooks asked one after the other until one answers
   */
  public FailureInterceptor(
      List<? extends Function<? super Throwable, ? extends @Nullable Status>> hooks) {
    this(hooks, false);
  }

  /**
   * One that knows whether it is the outermost: a server that is built while a call is served has
   * that call's context below all of its own.
   */
  FailureInterceptor(
      List<? extends Function<? super Throwable, ? extends @Nullable Status>> hooks,
      boolean outermost) {
    mapping = new FailureMapping(hooks);
    this.outermost = outermost;
  }

  @Override
  public <Q extends @Nullable Object, R extends @Nullable Object> Listener<Q> interceptCall(
      ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
    FailureCall<?, ?> outer = outermost ? null : FailureCall.KEY.get();
    CallScope scope = CallScope.current();
    FailureCall<Q, R> failing =
        new FailureCall<>(call, mapping, log, outer, scope == null ? Runnable::run : scope::run);
    if (outer != null) {
      return next.startCall(failing, headers); // The outer one catches.
    }
    Context context = contextOf(failing);
    Context before = context.attach();
    try {
      Listener<Q> listener = next.startCall(failing, headers);
      if (listener == null) {
        throw new NullPointerException("no listener returned by startCall");
      }
      return new CatchingListener<>(listener, failing, context);
    } catch (Throwable e) { // Also errors: on an event loop they would end all calls of the stream.
      failing.fail(e);
      return new Listener<>() {};
    } finally {
      context.detach(before);
    }
  }

  /** What services and interceptors run in: it also knows who calls, where a stream tells. */
  private static Context contextOf(FailureCall<?, ?> call) {
    PeerContext peer = call.getAttributes().get(PeerContext.TRANSPORT_ATTR);
    return peer == null
        ? Context.current().withValue(FailureCall.KEY, call)
        : Context.current().withValues(FailureCall.KEY, call, PeerContext.KEY, peer);
  }

  /** Passes events on in the call's context, and lets no failure out. */
  private static final class CatchingListener<Q> extends ForwardingServerCallListener<Q> {
    private final Listener<Q> delegate;
    private final FailureCall<Q, ?> call;
    private final Context context;

    CatchingListener(Listener<Q> delegate, FailureCall<Q, ?> call, Context context) {
      this.delegate = delegate;
      this.call = call;
      this.context = context;
    }

    @Override
    protected Listener<Q> delegate() {
      return delegate;
    }

    @Override
    public void onMessage(Q message) {
      Object object = message;
      if (object instanceof MalformedRequest malformed) {
        call.refuse(malformed);
      } else {
        unlessFailed(() -> super.onMessage(message));
      }
    }

    @Override
    public void onHalfClose() {
      unlessFailed(super::onHalfClose);
    }

    @Override
    public void onReady() {
      unlessFailed(super::onReady);
    }

    @Override
    public void onCancel() {
      run(super::onCancel);
    }

    /** gRPC calls any end from this side the completion of the call, also a failure. */
    @Override
    public void onComplete() {
      run(call.hasFailed() ? super::onCancel : super::onComplete);
    }

    private void unlessFailed(Runnable event) {
      if (!call.hasFailed()) {
        run(event);
      }
    }

    private void run(Runnable event) {
      Context before = context.attach();
      try {
        event.run();
      } catch (Throwable e) {
        call.fail(e);
      } finally {
        context.detach(before);
      }
    }
  }
}
