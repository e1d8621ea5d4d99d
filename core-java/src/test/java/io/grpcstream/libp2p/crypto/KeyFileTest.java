package io.grpcstream.libp2p.crypto;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.FileSystem;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KeyFileTest {
  @TempDir Path directory;

  @Test
  void firstCallCreatesTheKeyAndLaterCallsLoadIt() throws Exception {
    Path file = directory.resolve("a/b/peer.key");

    PrivateKey created = PrivateKey.loadOrCreate(file);

    assertThat(created.type()).isEqualTo(KeyType.ED25519);
    assertThat(PrivateKey.loadOrCreate(file)).isEqualTo(created);
    assertThat(PrivateKey.load(file)).isEqualTo(created);
    assertThat(Files.readAllBytes(file)).isEqualTo(created.marshal());
    assertThat(names(file.getParent())).containsExactly("peer.key");
  }

  @Test
  void generatorIsAskedOnlyForAFileThatIsMissing() throws Exception {
    Path file = directory.resolve("peer.key");
    PrivateKey key = PrivateKey.generateSecp256k1();

    assertThat(PrivateKey.loadOrCreate(file, () -> key)).isSameAs(key);
    PrivateKey loaded =
        PrivateKey.loadOrCreate(
            file,
            () -> {
              throw new AssertionError("asked for a second key");
            });
    assertThat(loaded).isEqualTo(key);
  }

  @Test
  void directoryMayBeASymbolicLink() throws Exception {
    Path link = Files.createSymbolicLink(directory.resolve("link"), directory);

    PrivateKey created = PrivateKey.loadOrCreate(link.resolve("peer.key"));

    assertThat(PrivateKey.load(directory.resolve("peer.key"))).isEqualTo(created);
  }

  @Test
  void fileAndNewDirectoriesAreTheirOwnersAlone() throws Exception {
    assumePosix();
    Path file = directory.resolve("keys/peer.key");
    PrivateKey.loadOrCreate(file);

    assertThat(permissions(file)).isEqualTo("rw-------");
    assertThat(permissions(file.getParent())).isEqualTo("rwx------");
  }

  @ParameterizedTest
  @ValueSource(strings = {"rw-r-----", "rw----r--", "rw--w----", "rw-----w-", "rw---x---"})
  void fileThatOthersMayUseIsRefused(String permissions) throws Exception {
    assumePosix();
    Path file = directory.resolve("peer.key");
    PrivateKey.loadOrCreate(file);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));

    assertThatThrownBy(() -> PrivateKey.load(file))
        .isInstanceOf(FileSystemException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining(permissions)
        .hasMessageContaining("chmod 600");
    assertThatThrownBy(() -> PrivateKey.loadOrCreate(file)).isInstanceOf(FileSystemException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"r--------", "rwx------"})
  void whatTheOwnerMayDoIsTheirAffair(String permissions) throws Exception {
    assumePosix();
    Path file = directory.resolve("peer.key");
    PrivateKey created = PrivateKey.loadOrCreate(file);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));

    assertThat(PrivateKey.load(file)).isEqualTo(created);
  }

  @Test
  void fileWithoutAValidKeyIsRefusedAndLeftAlone() throws Exception {
    for (byte[] content : new byte[][] {{}, {1, 2, 3}, new byte[1 << 20]}) {
      Path file = directory.resolve("peer.key");
      PrivateKey.loadOrCreate(file);
      Files.write(file, content);

      assertThatIOException()
          .isThrownBy(() -> PrivateKey.loadOrCreate(file))
          .withMessageStartingWith("key file " + file + " holds no valid key: ")
          .withCauseInstanceOf(KeyFormatException.class);
      assertThat(Files.readAllBytes(file)).isEqualTo(content);
      Files.delete(file);
    }
  }

  @Test
  void missingFileIsNotLoaded() {
    assertThatThrownBy(() -> PrivateKey.load(directory.resolve("none")))
        .isInstanceOf(NoSuchFileException.class);
  }

  @Test
  void allWhoRaceToCreateTheFileGetTheSameKey() throws Exception {
    int racers = 8;
    ExecutorService pool = Executors.newFixedThreadPool(racers);
    try {
      for (int round = 0; round < 20; round++) {
        Path file = directory.resolve("race" + round + "/peer.key");
        Files.createDirectory(file.getParent());
        CyclicBarrier start = new CyclicBarrier(racers);
        List<Future<PrivateKey>> results = new ArrayList<>();
        for (int i = 0; i < racers; i++) {
          results.add(
              pool.submit(
                  () -> {
                    start.await();
                    return PrivateKey.loadOrCreate(file);
                  }));
        }
        Set<PrivateKey> keys = new HashSet<>();
        for (Future<PrivateKey> result : results) {
          keys.add(result.get());
        }
        assertThat(keys).containsExactly(PrivateKey.load(file));
        assertThat(names(file.getParent())).containsExactly("peer.key");
      }
    } finally {
      pool.shutdownNow();
    }
  }

  /** A zip file system has neither. */
  @Test
  @DisplayName("A file system without hard links and permissions works too")
  void fileSystemWithoutHardLinks() throws Exception {
    URI zip = URI.create("jar:" + directory.resolve("keys.zip").toUri());
    try (FileSystem system = FileSystems.newFileSystem(zip, Map.of("create", "true"))) {
      Path file = system.getPath("/keys/peer.key");

      PrivateKey created = PrivateKey.loadOrCreate(file);

      assertThat(PrivateKey.load(file)).isEqualTo(created);
      assertThat(PrivateKey.loadOrCreate(file)).isEqualTo(created);
      assertThat(names(file.getParent())).containsExactly("peer.key");
    }
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  private static String permissions(Path file) throws IOException {
    return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
  }

  private static void assumePosix() {
    assumeTrue(FileSystems.getDefault().supportedFileAttributeViews().contains("posix"));
  }

  @Test
  @DisplayName("A directory instead of a file is named, and said to be one")
  void directoryInsteadOfAFile() {
    for (ThrowingCallable call :
        List.<ThrowingCallable>of(
            () -> PrivateKey.load(directory), () -> PrivateKey.loadOrCreate(directory))) {
      assertThatThrownBy(call)
          .isInstanceOf(FileSystemException.class)
          .hasMessageContainingAll(directory.toString(), "is a directory");
    }
  }
}
