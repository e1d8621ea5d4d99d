package io.grpcstream;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleNameStartingWith;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.grpcstream.libp2p.Host;
import io.grpcstream.libp2p.Stream;
import io.grpcstream.libp2p.foreign.ForeignStream;
import io.grpcstream.libp2p.host.DefaultHost;
import io.grpcstream.libp2p.host.HostConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** Each package is a room with one concern, and may use only the rooms below it. */
class RoomsTest {
  private static final String ROOT = "io.grpcstream";
  private static final Path SOURCES = Path.of("src", "main", "java");

  /** The rooms that users import; all others are documented as internal. */
  private static final Set<String> PUBLIC_ROOMS =
      Set.of("io.grpcstream", "io.grpcstream.libp2p", "io.grpcstream.libp2p.crypto");

  /** Those of them whose types were brought apart from what makes them work. */
  private static final Set<String> API_ROOMS = Set.of("io.grpcstream", "io.grpcstream.libp2p");

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .withImportOption(location -> !location.contains("/core-java/testing/"))
          .importPackages(ROOT);

  @Test
  void roomsUseOnlyRoomsBelowThem() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .withOptionalLayers(true)
        .layer("api")
        .definedBy(ROOT)
        .layer("serving")
        .definedBy(ROOT + ".serving..")
        .layer("failures")
        .definedBy(ROOT + ".failures..")
        .layer("netty")
        .definedBy(ROOT + ".netty..")
        .layer("targets")
        .definedBy(ROOT + ".targets..")
        .layer("libp2p")
        .definedBy(ROOT + ".libp2p")
        .layer("host")
        .definedBy(ROOT + ".libp2p.host..")
        .layer("upkeep")
        .definedBy(ROOT + ".libp2p.upkeep..")
        .layer("dial")
        .definedBy(ROOT + ".libp2p.dial..")
        .layer("connection")
        .definedBy(ROOT + ".libp2p.connection..")
        .layer("foreign")
        .definedBy(ROOT + ".libp2p.foreign..")
        .layer("stream")
        .definedBy(ROOT + ".libp2p.stream..")
        .layer("addresses")
        .definedBy(ROOT + ".libp2p.addresses..")
        .layer("resources")
        .definedBy(ROOT + ".libp2p.resources..")
        .layer("util")
        .definedBy(ROOT + ".libp2p.util..")
        .layer("libraries")
        .definedBy(ROOT + ".libp2p.libraries..")
        .layer("crypto")
        .definedBy(ROOT + ".libp2p.crypto..")
        .layer("multiformats")
        .definedBy(ROOT + ".libp2p.multiformats..")
        .layer("text")
        .definedBy(ROOT + ".libp2p.text..")
        .layer("multistream")
        .definedBy(ROOT + ".libp2p.multistream..")
        .layer("handover")
        .definedBy(ROOT + ".libp2p.handover..")
        .layer("security")
        .definedBy(ROOT + ".libp2p.security")
        .layer("noise")
        .definedBy(ROOT + ".libp2p.security.noise..")
        .layer("tls")
        .definedBy(ROOT + ".libp2p.security.tls..")
        .layer("mux")
        .definedBy(ROOT + ".libp2p.mux")
        .layer("yamux")
        .definedBy(ROOT + ".libp2p.mux.yamux..")
        .layer("transport")
        .definedBy(ROOT + ".libp2p.transport")
        .layer("tcp")
        .definedBy(ROOT + ".libp2p.transport.tcp..")
        .layer("memory")
        .definedBy(ROOT + ".libp2p.transport.memory..")
        .layer("identify")
        .definedBy(ROOT + ".libp2p.protocol.identify..")
        .layer("ping")
        .definedBy(ROOT + ".libp2p.protocol.ping..")
        .whereLayer("api")
        .mayOnlyAccessLayers(
            "serving",
            "failures",
            "netty",
            "targets",
            "libp2p",
            "crypto",
            "libraries",
            "text",
            "util")
        .whereLayer("serving")
        .mayOnlyAccessLayers("netty", "libp2p", "util", "text")
        .whereLayer("failures")
        .mayOnlyAccessLayers("netty", "libp2p", "util", "libraries")
        .whereLayer("netty")
        .mayOnlyAccessLayers(
            "targets", "libp2p", "util", "libraries", "multiformats", "text", "mux")
        .whereLayer("targets")
        .mayOnlyAccessLayers("libp2p")
        .whereLayer("libp2p")
        .mayOnlyAccessLayers("libraries", "crypto", "multiformats", "text")
        .whereLayer("host")
        .mayOnlyAccessLayers(
            "libp2p",
            "upkeep",
            "dial",
            "connection",
            "addresses",
            "resources",
            "util",
            "crypto",
            "security",
            "noise",
            "tls",
            "yamux",
            "transport",
            "tcp",
            "memory",
            "identify",
            "ping")
        .whereLayer("upkeep")
        .mayOnlyAccessLayers("libp2p", "connection", "addresses", "util", "text")
        .whereLayer("dial")
        .mayOnlyAccessLayers(
            "libp2p", "connection", "addresses", "resources", "util", "text", "transport")
        .whereLayer("connection")
        .mayOnlyAccessLayers(
            "libp2p",
            "stream",
            "addresses",
            "resources",
            "util",
            "text",
            "libraries",
            "crypto",
            "multistream",
            "security",
            "noise",
            "tls",
            "mux",
            "yamux")
        .whereLayer("foreign")
        .mayOnlyAccessLayers("libp2p", "stream", "util", "mux")
        .whereLayer("stream")
        .mayOnlyAccessLayers("libp2p", "util")
        .whereLayer("addresses")
        .mayOnlyAccessLayers("libp2p", "util", "memory", "identify")
        .whereLayer("resources")
        .mayOnlyAccessLayers("libp2p", "util", "libraries")
        .whereLayer("util")
        .mayNotAccessAnyLayer()
        .whereLayer("libraries")
        .mayNotAccessAnyLayer()
        .whereLayer("crypto")
        .mayOnlyAccessLayers("multiformats")
        .whereLayer("multiformats")
        .mayNotAccessAnyLayer()
        .whereLayer("text")
        .mayNotAccessAnyLayer()
        .whereLayer("handover")
        .mayNotAccessAnyLayer()
        .whereLayer("multistream")
        .mayOnlyAccessLayers("handover", "multiformats", "text")
        .whereLayer("security")
        .mayOnlyAccessLayers("crypto")
        .whereLayer("noise")
        .mayOnlyAccessLayers("handover", "security", "crypto", "util", "libraries")
        .whereLayer("tls")
        .mayOnlyAccessLayers("libp2p", "handover", "security", "crypto", "util", "libraries")
        .whereLayer("mux")
        .mayOnlyAccessLayers("util")
        .whereLayer("yamux")
        .mayOnlyAccessLayers("mux", "util", "text")
        .whereLayer("transport")
        .mayNotAccessAnyLayer()
        .whereLayer("tcp")
        .mayOnlyAccessLayers("transport")
        .whereLayer("memory")
        .mayOnlyAccessLayers("transport", "util")
        .whereLayer("identify")
        .mayOnlyAccessLayers("libp2p", "util", "crypto", "multiformats", "text")
        .whereLayer("ping")
        .mayOnlyAccessLayers("libp2p", "util", "text")
        // The two factories, by which an API room makes what stands in the rooms below it.
        .ignoreDependency(Host.Builder.class, DefaultHost.class)
        .ignoreDependency(Host.Builder.class, HostConfig.class)
        .ignoreDependency(Stream.class, ForeignStream.class)
        .ensureAllClassesAreContainedInArchitecture()
        .check(CLASSES);
  }

  /** Below the API no two rooms need each other, over whatever others. */
  @Test
  void noRoomsStandInACircle() {
    slices().matching(ROOT + ".libp2p.(*)..").should().beFreeOfCycles().check(CLASSES);
    slices().matching(ROOT + ".(*)").should().beFreeOfCycles().check(CLASSES);
  }

  /** Beside what users touch there are only the parts that values are made of. */
  @Test
  void anApiRoomHoldsOnlyWhatUsersTouch() {
    Set<String> hidden = new TreeSet<>();
    for (JavaClass type : CLASSES) {
      boolean topLevel = type.getEnclosingClass().isEmpty();
      if (topLevel
          && API_ROOMS.contains(type.getPackageName())
          && !type.getModifiers().contains(JavaModifier.PUBLIC)) {
        hidden.add(type.getSimpleName());
      }
    }
    assertThat(hidden)
        .containsExactlyInAnyOrder(
            "MultiaddrBuilder", "MultiaddrProtocol", "MultiaddrValue", "package-info");
  }

  @Test
  void libp2pKnowsNoGrpc() {
    noClasses()
        .that()
        .resideInAPackage(ROOT + ".libp2p..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.grpc..")
        .check(CLASSES);
  }

  @Test
  void onlyTheNettyRoomTouchesGrpcInternals() {
    noClasses()
        .that(not(resideInAPackage(ROOT + ".netty..")))
        .should()
        .dependOnClassesThat(
            resideInAPackage("io.grpc..")
                .and(
                    simpleNameStartingWith("Internal")
                        .or(nameMatching("io\\.grpc\\.internal\\..*"))))
        .check(CLASSES);
  }

  @Test
  void everyRoomSaysWhatItIsAndWhetherItIsInternal() throws IOException {
    Set<String> rooms = new TreeSet<>();
    for (JavaClass type : CLASSES) {
      rooms.add(type.getPackageName());
    }
    Set<String> wrong = new TreeSet<>();
    for (String room : rooms) {
      Path description = SOURCES.resolve(room.replace('.', '/')).resolve("package-info.java");
      if (!Files.exists(description)) {
        wrong.add(room + ": no package-info.java");
        continue;
      }
      String text = Files.readString(description);
      if (!text.contains("@NullMarked")) {
        wrong.add(room + ": not @NullMarked");
      }
      if (!PUBLIC_ROOMS.contains(room) && !text.contains("Internal")) {
        wrong.add(room + ": does not say \"Internal\"");
      }
    }
    assertThat(wrong).isEmpty();
  }
}
