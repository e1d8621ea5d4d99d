package io.grpcstream.samples.consumers;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;

/** Copies of projects as a fresh clone has them, without what was built. */
final class Sources {
  private static final Set<String> NOT_OURS = Set.of("target", ".git", "node_modules", ".gradle");

  private Sources() {}

  static Path copy(Path project, Path copy) throws IOException {
    Files.walkFileTree(
        project,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path from, BasicFileAttributes attributes)
              throws IOException {
            if (NOT_OURS.contains(from.getFileName().toString())) {
              return FileVisitResult.SKIP_SUBTREE;
            }
            Files.createDirectories(copy.resolve(project.relativize(from)));
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path from, BasicFileAttributes attributes)
              throws IOException {
            if (attributes.isRegularFile() && !NOT_OURS.contains(from.getFileName().toString())) {
              Files.copy(from, copy.resolve(project.relativize(from)));
            }
            return FileVisitResult.CONTINUE;
          }
        });
    return copy;
  }
}
