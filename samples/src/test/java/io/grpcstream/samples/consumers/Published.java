package io.grpcstream.samples.consumers;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;

/** One version of one artifact, as it lies in a repository. */
final class Published {
  private static final Pattern CHECKSUM = Pattern.compile(".*\\.(md5|sha1|sha256|sha512)");

  private final Path directory;
  private final String prefix;

  private Published(Path directory, String prefix) {
    this.directory = directory;
    this.prefix = prefix;
  }

  /** That which was published of {@code artifact}: a release, or the first build of a snapshot. */
  static Published of(Path group, String artifact, String version) throws IOException {
    Path directory = group.resolve(artifact).resolve(version);
    String base = version.replace("-SNAPSHOT", "");
    Pattern pom =
        Pattern.compile(
            "(%s(-[\\d.]+-\\d+)?)\\.pom".formatted(Pattern.quote(artifact + "-" + base)));
    try (Stream<Path> files = Files.list(directory)) {
      Set<String> prefixes =
          files
              .map(file -> pom.matcher(file.getFileName().toString()))
              .filter(Matcher::matches)
              .map(matcher -> matcher.group(1))
              .collect(Collectors.toSet());
      assertThat(prefixes).as("poms in %s", directory).hasSize(1);
      return new Published(directory, prefixes.iterator().next());
    }
  }

  /** Its files, without what they have in common and without checksums: {@code -sources.jar}. */
  Set<String> files() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> !name.startsWith("maven-metadata") && !CHECKSUM.matcher(name).matches())
          .map(name -> name.startsWith(prefix) ? name.substring(prefix.length()) : name)
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  Path file(String suffix) {
    return directory.resolve(prefix + suffix);
  }

  Element pom() throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(file(".pom").toFile())
        .getDocumentElement();
  }

  JarFile jar(String suffix) throws IOException {
    return new JarFile(file(suffix).toFile());
  }
}
