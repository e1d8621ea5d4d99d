package io.grpcstream.testing;

import io.netty.util.ResourceLeakDetector;
import io.netty.util.ResourceLeakDetectorFactory;
import io.netty.util.ResourceLeakTracker;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** Makes leak detectors that remember what they report. */
final class LeakRecorder extends ResourceLeakDetectorFactory {
  /** A leak found by one collection may have held another one alive. */
  private static final int COLLECTIONS = 3;

  private static final long COLLECTION_TIMEOUT_MILLIS = 5_000;

  private final List<Detector<?>> detectors = new CopyOnWriteArrayList<>();
  private final List<String> leaks = new CopyOnWriteArrayList<>();

  @Override
  @Deprecated
  public <T> ResourceLeakDetector<T> newResourceLeakDetector(
      Class<T> resource, int samplingInterval, long maxActive) {
    Detector<T> detector = new Detector<>(resource, samplingInterval);
    detectors.add(detector);
    return detector;
  }

  /** Collects garbage and returns every leak since the start, those found before included. */
  List<String> collect() {
    for (int i = 0; i < COLLECTIONS; i++) {
      collectGarbage();
      detectors.forEach(Detector::poll);
    }
    return List.copyOf(leaks);
  }

  /** Returns once a collection has really been through the heap. */
  private static void collectGarbage() {
    ReferenceQueue<Object> queue = new ReferenceQueue<>();
    WeakReference<Object> canary = new WeakReference<>(new Object(), queue);
    System.gc();
    try {
      if (queue.remove(COLLECTION_TIMEOUT_MILLIS) == null) {
        throw new IllegalStateException("no garbage collection ran, last seen " + canary.get());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for a garbage collection", e);
    }
  }

  private final class Detector<T> extends ResourceLeakDetector<T> {
    private final Class<T> resource;

    Detector(Class<T> resource, int samplingInterval) {
      super(resource, samplingInterval);
      this.resource = resource;
    }

    /** Reports what was collected; Netty does so only when it tracks another object. */
    @SuppressWarnings("unchecked")
    void poll() {
      T decoy = (T) new Object();
      @Nullable ResourceLeakTracker<T> tracker = track(decoy);
      if (tracker != null) {
        tracker.close(decoy);
      }
    }

    @Override
    protected boolean needReport() {
      return true;
    }

    @Override
    protected void reportTracedLeak(String resourceType, String records) {
      leaks.add(resource.getName() + " " + records);
    }

    @Override
    protected void reportUntracedLeak(String resourceType) {
      leaks.add(resource.getName());
    }
  }
}
