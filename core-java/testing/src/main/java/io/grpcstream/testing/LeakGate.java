package io.grpcstream.testing;

import io.netty.util.ResourceLeakDetectorFactory;
import java.util.List;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/**
 * Fails the test run if any Netty buffer was dropped without being released.
 *
 * <p>JUnit finds it as a service, before the first test and so before Netty makes its first buffer.
 * It works only under {@code -Dio.netty.leakDetection.level=paranoid}; lower levels look at
 * samples.
 */
public final class LeakGate implements LauncherSessionListener {
  private final LeakRecorder recorder = new LeakRecorder();

  @Override
  public void launcherSessionOpened(LauncherSession session) {
    ResourceLeakDetectorFactory.setResourceLeakDetectorFactory(recorder);
  }

  /** Throws if a leak was found, which ends the test run as a failure. */
  @Override
  public void launcherSessionClosed(LauncherSession session) {
    List<String> leaks = recorder.collect();
    if (!leaks.isEmpty()) {
      throw new AssertionError(
          leaks.size() + " leaked:" + System.lineSeparator() + String.join("\n", leaks));
    }
  }
}
