package io.grpcstream.samples;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.module.ModuleDescriptor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jetbrains.kotlin.abi.tools.AbiFilters;
import org.jetbrains.kotlin.abi.tools.AbiTools;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What users compile and link against, as it stands in the file {@code api} beside each module's
 * pom: all that is public or protected in the packages that the module exports, but for what is
 * internal in Kotlin. Who changes it on purpose says so by {@code -Dapi.update}, which writes the
 * files anew, and reviewers see what it means for users.
 *
 * <p>This holds each change; japicmp holds what is compatible with the last release.
 */
class ApiTest {
  private static final AbiTools TOOLS =
      AbiTools.Companion.getInstance(ApiTest.class.getClassLoader());
  private static final AbiFilters ALL = new AbiFilters(Set.of(), Set.of(), Set.of(), Set.of());

  @TempDir Path directory;

  @ParameterizedTest(name = "{0}")
  @DisplayName("the public API is the one that is written down")
  @CsvSource({
    "grpc-stream-core, core-java",
    "grpc-stream-kotlin, kotlin-ext",
    "grpc-stream-kotest, kotlin-ext/kotest",
    "grpc-stream-opentelemetry, core-java/opentelemetry",
  })
  void isAsWrittenDown(String artifact, String module) throws IOException {
    Path home = Path.of("..").resolve(module);
    Path written = home.resolve("api").resolve(artifact + ".api");
    String found = dump(home.resolve("target").resolve("classes"));
    if (System.getProperty("api.update") != null) {
      Files.createDirectories(written.getParent());
      Files.writeString(written, found);
      return;
    }
    Path now = Files.writeString(directory.resolve("found"), found);
    assertThat(TOOLS.filesDiff(written.toFile(), now.toFile()))
        .as("changes to %s, which -Dapi.update would accept", written.normalize())
        .isNull();
  }

  private static String dump(Path classes) throws IOException {
    Set<Path> exported;
    try (InputStream descriptor = Files.newInputStream(classes.resolve("module-info.class"))) {
      exported =
          ModuleDescriptor.read(descriptor).exports().stream()
              .filter(exports -> !exports.isQualified())
              .map(exports -> classes.resolve(exports.source().replace('.', '/')))
              .collect(toSet());
    }
    try (Stream<Path> files = Files.walk(classes)) {
      List<File> api =
          files
              .filter(file -> exported.contains(file.getParent()))
              .filter(file -> file.toString().endsWith(".class"))
              .sorted()
              .map(Path::toFile)
              .toList();
      assertThat(api).isNotEmpty();
      StringBuilder dump = new StringBuilder();
      TOOLS.printJvmDump(dump, api, ALL);
      return dump.toString();
    }
  }
}
