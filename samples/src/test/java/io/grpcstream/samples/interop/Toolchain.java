package io.grpcstream.samples.interop;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.Assumptions;

/** A language of peers under {@code samples/interop}, found on the {@code PATH}. */
enum Toolchain {
  GO("go", "Go 1.26 or later (https://go.dev/dl)", Keys.ALL, List.of(binary().toString())) {
    @Override
    void build() throws Exception {
      run(List.of("go", "build", "-o", binary().toString(), "."));
    }
  },

  JS(
      "js",
      "Node.js 20 or later with npm (https://nodejs.org)",
      Keys.WITHOUT_ECDSA,
      List.of("node", ".")) {
    @Override
    void build() throws Exception {
      run(List.of("node", "--version"));
      Path lock = directory().resolve("package-lock.json");
      Path installed = TARGET.resolve("package-lock.json");
      if (!Files.exists(directory().resolve("node_modules"))
          || !Files.exists(installed)
          || Files.mismatch(lock, installed) >= 0) {
        run(List.of("npm", "ci", "--no-audit", "--no-fund"));
        Files.write(installed, Files.readAllBytes(lock));
      }
    }
  };

  private static final Path TARGET = Path.of("target", "interop").toAbsolutePath();
  private static final Duration BUILD = Duration.ofMinutes(5);

  private final String directory;
  private final String needs;
  private final List<String> keys;
  private final List<String> command;

  Toolchain(String directory, String needs, List<String> keys, List<String> command) {
    this.directory = directory;
    this.needs = needs;
    this.keys = keys;
    this.command = command;
  }

  private static Path binary() {
    return Path.of("target", "interop", "go-peer").toAbsolutePath();
  }

  /** The language, in lower case: its folder's name. */
  String language() {
    return directory;
  }

  /** The kinds of identity that the peer can have, Ed25519 first. */
  List<String> keys() {
    return keys;
  }

  /** Where the peer's sources are. */
  Path directory() {
    return Path.of("interop", directory).toAbsolutePath();
  }

  abstract void build() throws Exception;

  /**
   * Builds the peer. Where the language's tools are missing, the test is aborted, or fails on a
   * build server, which must have them.
   */
  void require() throws Exception {
    Files.createDirectories(TARGET);
    // Of the test classes that run at the same time, each in a JVM of its own, one builds.
    try (FileChannel one = FileChannel.open(TARGET.resolve("lock"), CREATE, WRITE)) {
      one.lock();
      build();
    } catch (UncheckedIOException e) {
      String missing = "the %s peer needs %s: %s".formatted(directory, needs, e.getMessage());
      if (Boolean.parseBoolean(System.getenv("CI"))) {
        Assertions.fail(missing, e);
      }
      Assumptions.abort(missing);
    }
  }

  /** Starts the peer. */
  PeerProcess start(String... arguments) {
    List<String> line = new ArrayList<>(command);
    line.addAll(List.of(arguments));
    return PeerProcess.start(line, directory());
  }

  void run(List<String> line) throws Exception {
    try (PeerProcess process = PeerProcess.start(line, directory())) {
      process.expectEnd(BUILD);
    }
  }

  /** Kinds of identity, which an enum's own constants are too late for. */
  private static final class Keys {
    static final List<String> ALL = List.of("ed25519", "secp256k1", "ecdsa", "rsa");

    /** js-libp2p makes no peer ids of ECDSA keys. */
    static final List<String> WITHOUT_ECDSA = List.of("ed25519", "secp256k1", "rsa");
  }
}
