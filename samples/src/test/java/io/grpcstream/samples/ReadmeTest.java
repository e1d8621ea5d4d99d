package io.grpcstream.samples;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;

class ReadmeTest {
  private static final Path ROOT = Path.of("..");
  private static final Path TESTS = Path.of("src", "test");
  private static final Pattern CODE = Pattern.compile("```(\\w+)\\n(.*?)```", Pattern.DOTALL);

  @Test
  void javaIsTheExamplesThatAreRun() throws IOException {
    Path example = TESTS.resolve("java/io/grpcstream/samples/ReadmeExample.java");
    Path core = ROOT.resolve("core-java").resolve(TESTS);
    Path foreign = core.resolve("java/io/grpcstream/JvmLibp2pExample.java");
    assertThat(code("java"))
        .containsExactly(marked(example, "java"), marked(foreign, "jvm-libp2p"));
  }

  @Test
  void kotlinIsTheExamplesThatAreRun() throws IOException {
    Path example = TESTS.resolve("kotlin/io/grpcstream/samples/ReadmeExample.kt");
    assertThat(code("kotlin"))
        .containsExactly(marked(example, "kotlin"), marked(example, "replicas"));
  }

  @Test
  void javaExampleGreetsThePeerThatCalls() throws Exception {
    assertThat(ReadmeExample.greet("Ada")).startsWith("Hello, Ada at 12D3KooW");
  }

  @Test
  void continuousIntegrationRunsTheTestCommand() throws IOException {
    assertThat(code("sh")).contains("mvn verify\n");
    assertThat(Files.readString(ROOT.resolve(".ci/run"))).contains("mvn verify\n");
  }

  @Test
  void versionForTlsIsTheOneThatIsTested() throws IOException {
    String artifact = "io.netty/netty-tcnative-boringssl-static";
    assertThat(Files.readString(ROOT.resolve("README.md")))
        .contains("`" + artifact.replace('/', ':') + ":" + versionOf(artifact) + "`");
  }

  @Test
  @DisplayName("The Netty for Spring Boot is the one that is tested, here and in the consumer")
  void nettyForSpringBoot() throws IOException {
    String version = versionOf("io.netty/netty-common");
    assertThat(Files.readString(ROOT.resolve("README.md")))
        .contains("`netty.version` to " + version);
    assertThat(Files.readString(Path.of("consumers", "spring-boot", "property", "pom.xml")))
        .contains("<netty.version>" + version + "</netty.version>");
  }

  @Test
  @DisplayName("The recipe for one JAR of all is the one by which the consumer is built")
  void recipeForOneJar() throws IOException {
    List<String> pom =
        Files.readAllLines(Path.of("consumers", "fat-jar", "pom.xml")).stream()
            .map(String::strip)
            .toList();
    List<String> recipe =
        code("xml").stream()
            .filter(block -> block.contains("maven.plugins.shade"))
            .flatMap(String::lines)
            .map(String::strip)
            .filter(line -> !line.startsWith("<mainClass>"))
            .toList();
    assertThat(recipe).isNotEmpty();
    assertThat(pom).containsSubsequence(recipe);
  }

  private static String versionOf(String artifact) throws IOException {
    Properties pom = new Properties();
    try (InputStream in =
        ReadmeTest.class.getResourceAsStream("/META-INF/maven/" + artifact + "/pom.properties")) {
      pom.load(in);
    }
    return pom.getProperty("version");
  }

  /** The README's blocks of code in {@code language}. */
  private static List<String> code(String language) throws IOException {
    Matcher matcher = CODE.matcher(Files.readString(ROOT.resolve("README.md")));
    List<String> blocks = new ArrayList<>();
    while (matcher.find()) {
      if (matcher.group(1).equals(language)) {
        blocks.add(matcher.group(2));
      }
    }
    return blocks;
  }

  /** What stands between the markers in {@code source}, moved to the left margin. */
  private static String marked(Path source, String marker) throws IOException {
    List<String> lines = Files.readAllLines(source);
    int begin = indexOf(lines, "// readme: " + marker);
    int end = begin + indexOf(lines.subList(begin, lines.size()), "// end");
    String margin = " ".repeat(lines.get(begin).indexOf("//"));
    StringBuilder text = new StringBuilder();
    for (String line : lines.subList(begin + 1, end)) {
      text.append(line.startsWith(margin) ? line.substring(margin.length()) : line).append('\n');
    }
    return text.toString();
  }

  private static int indexOf(List<String> lines, String marker) {
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).strip().equals(marker)) {
        return i;
      }
    }
    throw new AssertionError("no line \"" + marker + "\"");
  }
}
