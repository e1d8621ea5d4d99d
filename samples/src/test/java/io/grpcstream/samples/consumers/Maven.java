package io.grpcstream.samples.consumers;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * The Maven that runs these tests, with a local repository of its own: it has all that the user's
 * has (by links, so that nothing is fetched twice) but for what is in our group.
 */
final class Maven {
  private static final Path HOME = Path.of(System.getProperty("maven.home"));
  private static final Path USERS = Path.of(System.getProperty("maven.repository"));
  private static final String OURS = "grpcstream";

  private final Path repository;

  private Maven(Path repository) {
    this.repository = repository;
  }

  static Maven create(Path repository) throws IOException {
    link(USERS, repository, "io");
    link(USERS.resolve("io"), repository.resolve("io"), OURS);
    return new Maven(repository);
  }

  private static void link(Path from, Path to, String butFor) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> entries = Files.list(from)) {
      for (Path entry : (Iterable<Path>) entries::iterator) {
        Path name = entry.getFileName();
        if (!name.toString().equals(butFor)) {
          Files.createSymbolicLink(to.resolve(name), entry.toAbsolutePath());
        }
      }
    }
  }

  /** Runs {@code mvn} in {@code project}; what it says goes to {@code log}, too. */
  String run(Path project, Path log, List<String> arguments)
      throws IOException, InterruptedException {
    List<String> line = new ArrayList<>();
    line.add(HOME.resolve("bin").resolve("mvn").toString());
    line.addAll(List.of("--batch-mode", "--no-transfer-progress"));
    line.add("-Dmaven.repo.local=" + repository);
    line.addAll(arguments);
    return new Command(project).with("JAVA_HOME", System.getProperty("java.home")).run(log, line);
  }
}
