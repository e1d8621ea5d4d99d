package io.grpcstream.samples.consumers;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.grpcstream.samples.Snippets;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * What {@code mvn -Prelease deploy} publishes, and the projects in {@code samples/consumers}, built
 * and run with that. All is built in copies, so that the build that runs this test is not
 * disturbed; what Maven said is in {@code target/consumers}.
 */
@Tag("interop")
class ConsumersTest {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final Path CONSUMERS = ROOT.resolve("samples").resolve("consumers");
  private static final Path LOGS = Path.of("target", "consumers");
  private static final String VERSION = System.getProperty("project.version");

  /** As gpg wants its folder. */
  private static final FileAttribute<?> PRIVATE =
      PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));

  /** Published as a pom alone. */
  static final List<String> POMS = List.of("grpc-stream-bom", "grpc-stream-parent");

  /** Java modules. */
  static final List<String> MODULES =
      List.of(
          "grpc-stream-core",
          "grpc-stream-kotlin",
          "grpc-stream-kotest",
          "grpc-stream-opentelemetry");

  static final List<String> JARS =
      Stream.concat(MODULES.stream(), Stream.of("grpc-stream-proto")).toList();

  static final List<String> ARTIFACTS = Stream.concat(POMS.stream(), JARS.stream()).toList();

  @TempDir static Path directory;
  private static Path keys;
  private static Path repository;
  private static Maven maven;

  @BeforeAll
  static void publish() throws Exception {
    Files.createDirectories(LOGS);
    keys = Files.createDirectory(directory.resolve("keys"), PRIVATE);
    repository = directory.resolve("repository");
    maven = Maven.create(directory.resolve("local"));

    List<String> arguments = new ArrayList<>(List.of("-Prelease", "deploy"));
    // Tests and format have a build of their own.
    arguments.addAll(List.of("-DskipTests", "-Dmaven.test.skip", "-Dspotless.check.skip"));
    arguments.add("-DaltDeploymentRepository=test::" + repository.toUri());
    if (hasGpg()) {
      gpg("--quick-generate-key", "Nobody <nobody@example.com>");
      arguments.add("-Dgpg.homedir=" + keys);
    } else {
      arguments.add("-Dgpg.skip");
    }
    maven.run(
        Sources.copy(ROOT, directory.resolve("project")), LOGS.resolve("publish.log"), arguments);
  }

  @AfterAll
  static void stopAgent() throws Exception {
    if (hasGpg()) {
      gpgProgram("gpgconf", "--kill", "all");
    }
  }

  @Test
  @DisplayName("the library's artifacts are published, and neither samples nor what tests it")
  void publishesTheLibraryAlone() throws IOException {
    try (Stream<Path> artifacts = Files.list(group())) {
      assertThat(artifacts.map(artifact -> artifact.getFileName().toString()))
          .containsExactlyInAnyOrderElementsOf(ARTIFACTS);
    }
  }

  @ParameterizedTest
  @FieldSource("JARS")
  @DisplayName("a jar has its sources, Javadoc and bill of materials, and no tests, beside it")
  void filesOfJars(String artifact) throws IOException {
    assertThat(published(artifact).files())
        .isEqualTo(
            signed(
                ".pom",
                ".jar",
                "-sources.jar",
                "-javadoc.jar",
                "-cyclonedx.xml",
                "-cyclonedx.json"));
  }

  @Test
  @DisplayName("the parent has the bill of materials of all")
  void billOfMaterials() throws IOException {
    assertThat(published("grpc-stream-parent").files())
        .isEqualTo(signed(".pom", "-cyclonedx.xml", "-cyclonedx.json"));
    String all = Files.readString(published("grpc-stream-parent").file("-cyclonedx.json"));
    assertThat(all).contains("pkg:maven/io.netty/netty-handler@", "/grpc-stream-kotlin@");
    assertThat(all).doesNotContain("junit");
  }

  @ParameterizedTest
  @FieldSource("ARTIFACTS")
  @DisplayName("a pom says what it is, whose, under which licence, and where its sources are")
  void poms(String artifact) throws Exception {
    Element pom = published(artifact).pom();
    assertThat(text(pom, "name")).isNotBlank();
    assertThat(text(pom, "description")).isNotBlank();
    assertThat(text(pom, "url")).startsWith("https://");
    assertThat(text(pom, "licenses", "license", "name")).isEqualTo("Apache-2.0");
    assertThat(text(pom, "developers", "developer", "name")).isNotBlank();
    assertThat(text(pom, "scm", "url")).startsWith("https://").isEqualTo(text(pom, "url"));
    assertThat(text(pom, "scm", "connection")).startsWith("scm:git:");
  }

  @ParameterizedTest
  @FieldSource("JARS")
  @DisplayName("a jar's pom asks for what runs it, by versions of its own, and for nothing more")
  void dependencies(String artifact) throws Exception {
    Element pom = published(artifact).pom();
    assertThat(child(pom, "parent")).isNull();
    assertThat(child(pom, "dependencyManagement")).isNull();
    assertThat(child(pom, "properties")).isNull();
    NodeList dependencies = pom.getElementsByTagName("dependency");
    assertThat(dependencies.getLength()).isPositive();
    for (int i = 0; i < dependencies.getLength(); i++) {
      Element dependency = (Element) dependencies.item(i);
      assertThat(text(dependency, "version")).matches("\\d[\\w.-]+");
      assertThat(text(dependency, "scope")).isIn("compile", "runtime");
    }
  }

  @Test
  @DisplayName("the BOM has all of ours, literal versions, and nothing from our own build")
  void bom() throws Exception {
    Element pom = published("grpc-stream-bom").pom();
    assertThat(child(pom, "parent")).isNull();
    assertThat(child(pom, "properties")).isNull();
    NodeList dependencies = pom.getElementsByTagName("dependency");
    Set<String> ours = new TreeSet<>();
    for (int i = 0; i < dependencies.getLength(); i++) {
      Element dependency = (Element) dependencies.item(i);
      assertThat(text(dependency, "version")).matches("\\d[\\w.-]+");
      if (text(dependency, "groupId").equals("io.grpcstream")) {
        assertThat(text(dependency, "version")).isEqualTo(VERSION);
        ours.add(text(dependency, "artifactId"));
      } else {
        assertThat(text(dependency, "groupId")).doesNotContain("junit", "kotest");
      }
    }
    assertThat(ours).containsExactlyInAnyOrderElementsOf(JARS);
  }

  @ParameterizedTest
  @FieldSource("JARS")
  @DisplayName("jars of classes and of sources have the licence in them")
  void licences(String artifact) throws IOException {
    for (String kind : List.of(".jar", "-sources.jar")) {
      try (JarFile jar = published(artifact).jar(kind)) {
        byte[] licence = jar.getInputStream(jar.getJarEntry("META-INF/LICENSE")).readAllBytes();
        assertThat(new String(licence, UTF_8)).isEqualTo(Files.readString(ROOT.resolve("LICENSE")));
      }
    }
  }

  @ParameterizedTest
  @FieldSource("MODULES")
  @DisplayName("a jar is a Java module, with Javadoc of what that exports")
  void modules(String artifact) throws IOException {
    try (JarFile jar = published(artifact).jar(".jar");
        JarFile javadoc = published(artifact).jar("-javadoc.jar")) {
      assertThat(jar.getJarEntry("module-info.class")).isNotNull();
      assertThat(jar.stream().map(entry -> entry.getName()))
          .noneMatch(name -> name.startsWith("io/libp2p") || name.contains("/testing/"));
      assertThat(javadoc.getJarEntry("index.html")).isNotNull();
    }
  }

  @ParameterizedTest
  @FieldSource("ARTIFACTS")
  @DisplayName("what is signed is what was published")
  void signatures(String artifact) throws Exception {
    assumeThat(hasGpg()).as("there is a gpg").isTrue();
    Published published = published(artifact);
    for (String file : published.files()) {
      if (!file.endsWith(".asc")) {
        gpg("--verify", published.file(file + ".asc").toString(), published.file(file).toString());
      }
    }
  }

  @ParameterizedTest
  @MethodSource("consumers")
  @DisplayName("a project that depends on it builds and runs")
  void consumer(String name) throws Exception {
    maven.run(
        Sources.copy(CONSUMERS.resolve(name), directory.resolve(name)),
        LOGS.resolve(name + ".log"),
        List.of(
            "verify",
            "-Dgrpcstream.version=" + VERSION,
            "-Dconsumer.repository=" + repository.toUri()));
  }

  @Test
  @DisplayName("a project that Gradle builds with it runs, where there is a Gradle")
  void gradle() throws Exception {
    assumeThat(isThere("gradle")).as("there is a Gradle").isTrue();
    Path project = Sources.copy(CONSUMERS.resolve("gradle"), directory.resolve("gradle"));
    new Command(project)
        .with("JAVA_HOME", System.getProperty("java.home"))
        .run(
            LOGS.resolve("gradle.log"),
            List.of(
                "gradle",
                "--no-daemon",
                "check",
                "-Pgrpcstream.version=" + VERSION,
                "-Pconsumer.repository=" + repository.toUri()));
  }

  @Test
  @DisplayName("the project of the guide's first page builds, in both languages")
  void guide() throws Exception {
    Path page = ROOT.resolve("samples").resolve("guide").resolve("getting-started.md");
    Path project = directory.resolve("guide");
    List<String> kotlin = Snippets.blocks(page, "kotlin");
    List<String> java = Snippets.blocks(page, "java");
    Map<String, String> files =
        Map.of(
            "pom.xml", Snippets.blocks(page, "xml").get(0),
            "src/main/protobuf/greeter.proto", Snippets.blocks(page, "proto").get(0),
            "src/main/kotlin/Server.kt", kotlin.get(0),
            "src/main/kotlin/Client.kt", kotlin.get(1),
            "src/main/java/Server.java", java.get(0),
            "src/main/java/Client.java", java.get(1));
    for (Map.Entry<String, String> file : files.entrySet()) {
      Path path = project.resolve(file.getKey());
      Files.createDirectories(path.getParent());
      Files.writeString(path, file.getValue());
    }
    maven.run(project, LOGS.resolve("guide.log"), List.of("compile")); // ours are installed, too
    assertThat(project.resolve("target/classes/ServerKt.class")).exists();
    assertThat(project.resolve("target/classes/Server.class")).exists();
  }

  static List<String> consumers() throws IOException {
    try (Stream<Path> projects = Files.list(CONSUMERS)) {
      return projects
          .filter(project -> Files.exists(project.resolve("pom.xml")))
          .map(project -> project.getFileName().toString())
          .sorted()
          .toList();
    }
  }

  private static Path group() {
    return repository.resolve("io").resolve("grpcstream");
  }

  private static Published published(String artifact) throws IOException {
    return Published.of(group(), artifact, VERSION);
  }

  /** With their signatures, where there is a gpg. */
  private static Set<String> signed(String... files) {
    Set<String> all = new TreeSet<>(List.of(files));
    if (hasGpg()) {
      Stream.of(files).map(file -> file + ".asc").forEach(all::add);
    }
    return all;
  }

  private static Element child(Element parent, String name) {
    NodeList children = parent.getChildNodes();
    for (int i = 0; i < children.getLength(); i++) {
      if (children.item(i).getNodeName().equals(name)) {
        return (Element) children.item(i);
      }
    }
    return null;
  }

  private static String text(Element parent, String... path) {
    Element element = parent;
    for (String name : path) {
      element = child(element, name);
      assertThat(element).as("%s of %s", name, parent.getNodeName()).isNotNull();
    }
    return element.getTextContent().strip();
  }

  private static boolean hasGpg() {
    return isThere("gpg");
  }

  private static boolean isThere(String program) {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator))
        .anyMatch(entry -> Files.isExecutable(Path.of(entry, program)));
  }

  /** With keys for these tests alone, which have no passphrase. */
  private static void gpg(String... arguments) throws Exception {
    List<String> line = new ArrayList<>(List.of("gpg", "--batch", "--pinentry-mode", "loopback"));
    line.addAll(List.of("--passphrase", ""));
    line.addAll(List.of(arguments));
    gpgProgram(line.toArray(String[]::new));
  }

  private static void gpgProgram(String... line) throws Exception {
    new Command(directory)
        .with("GNUPGHOME", keys.toString())
        .run(directory.resolve("gpg.log"), List.of(line));
  }
}
