package io.grpcstream.libp2p.util;

/**
 * Where something is in its life. It only goes forward, by the order of its states' enum, and may
 * leave some out; so it does not matter who is first when two threads move it. Thread-safe.
 */
public final class ForwardState<S extends Enum<S>> {
  private volatile S state;

  public ForwardState(S first) {
    state = first;
  }

  /** Where it is at the moment. */
  public S get() {
    return state;
  }

  /** Whether it has come to {@code state}, or past it. */
  public boolean hasReached(S state) {
    return this.state.compareTo(state) >= 0;
  }

  /**
   * The one place where the state changes: to {@code state}, unless it is there or past it.
   *
   * @return whether it has moved, by this call
   */
  public synchronized boolean advance(S state) {
    if (hasReached(state)) {
      return false;
    }
    this.state = state;
    return true;
  }

  @Override
  public String toString() {
    return state.toString();
  }
}
