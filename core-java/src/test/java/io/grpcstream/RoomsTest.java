package io.grpcstream;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.simpleNameStartingWith;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
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

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new ImportOption.DoNotIncludeTests())
          .importPackages(ROOT);

  @Test
  void roomsUseOnlyRoomsBelowThem() {
    layeredArchitecture()
        .consideringOnlyDependenciesInLayers()
        .withOptionalLayers(true)
        .layer("api")
        .definedBy(ROOT)
        .layer("netty")
        .definedBy(ROOT + ".netty..")
        .layer("libp2p")
        .definedBy(ROOT + ".libp2p")
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
        .layer("security")
        .definedBy(ROOT + ".libp2p.security")
        .layer("noise")
        .definedBy(ROOT + ".libp2p.security.noise..")
        .layer("tls")
        .definedBy(ROOT + ".libp2p.security.tls..")
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
        .mayOnlyAccessLayers("netty", "libp2p", "libraries", "text")
        .whereLayer("netty")
        .mayOnlyAccessLayers("libp2p", "libraries", "text")
        .whereLayer("libp2p")
        .mayOnlyAccessLayers(
            "libraries",
            "crypto",
            "multiformats",
            "text",
            "multistream",
            "security",
            "noise",
            "tls",
            "yamux",
            "transport",
            "tcp",
            "memory",
            "identify",
            "ping")
        .whereLayer("libraries")
        .mayNotAccessAnyLayer()
        .whereLayer("crypto")
        .mayOnlyAccessLayers("multiformats")
        .whereLayer("multiformats")
        .mayNotAccessAnyLayer()
        .whereLayer("text")
        .mayNotAccessAnyLayer()
        .whereLayer("multistream")
        .mayOnlyAccessLayers("multiformats", "text")
        .whereLayer("security")
        .mayOnlyAccessLayers("crypto")
        .whereLayer("noise")
        .mayOnlyAccessLayers("security", "crypto", "libraries")
        .whereLayer("tls")
        .mayOnlyAccessLayers("security", "crypto", "libraries")
        .whereLayer("yamux")
        .mayOnlyAccessLayers("text")
        .whereLayer("transport")
        .mayNotAccessAnyLayer()
        .whereLayer("tcp")
        .mayOnlyAccessLayers("transport")
        .whereLayer("memory")
        .mayOnlyAccessLayers("transport")
        .whereLayer("identify")
        .mayOnlyAccessLayers("libp2p", "crypto", "multiformats", "text")
        .whereLayer("ping")
        .mayOnlyAccessLayers("libp2p", "text")
        .ensureAllClassesAreContainedInArchitecture()
        .check(CLASSES);
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
