package io.grpcstream.testing;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.util.ResourceLeakDetector;
import io.netty.util.ResourceLeakTracker;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class LeakRecorderTest {
  private final LeakRecorder recorder = new LeakRecorder();
  private final ResourceLeakDetector<Object> detector =
      recorder.newResourceLeakDetector(Object.class, 1);

  @Test
  void droppedResourceIsReported() {
    Objects.requireNonNull(detector.track(new Object()));

    assertThat(recorder.collect()).singleElement().asString().contains("java.lang.Object");
  }

  @Test
  void releasedResourceIsNotReported() {
    Object resource = new Object();
    ResourceLeakTracker<Object> tracker = Objects.requireNonNull(detector.track(resource));
    tracker.close(resource);

    assertThat(recorder.collect()).isEmpty();
  }
}
