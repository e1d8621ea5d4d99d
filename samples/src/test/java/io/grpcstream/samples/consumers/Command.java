package io.grpcstream.samples.consumers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A program that is run to its end, in a directory, and must succeed. */
final class Command {
  /** Long enough to fetch all plug-ins and to build everything on a busy machine. */
  private static final Duration LIMIT = Duration.ofMinutes(25);

  /** Of what a program said, enough to see why it failed. */
  private static final int TAIL = 8_000;

  private final Path directory;
  private final Map<String, String> environment = new HashMap<>();

  Command(Path directory) {
    this.directory = directory;
  }

  Command with(String variable, String value) {
    environment.put(variable, value);
    return this;
  }

  /** What it said; it goes to the file {@code log} as it comes. */
  String run(Path log, List<String> line) throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(line)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    builder.environment().putAll(environment);
    Process process = builder.start();
    try {
      process.getOutputStream().close();
      boolean ended = process.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS);
      String said = Files.readString(log);
      String tail = said.substring(Math.max(0, said.length() - TAIL));
      assertThat(ended).as("%s in %s has ended; it said%n%s", line, directory, tail).isTrue();
      assertThat(process.exitValue()).as("%s in %s said%n%s", line, directory, tail).isZero();
      return said;
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }
}
