package io.grpcstream.libp2p.libraries;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Collection;
import java.util.Properties;

/** What to write into a {@code pom.xml} where a bill of materials has chosen what is too old. */
final class Remedy {
  /** Filled in by the build: our own version, and that of the Netty that we are built with. */
  private static final String VERSIONS = "versions.properties";

  private Remedy() {}

  /** For {@code tooOld}, in lines of their own. */
  static String of(Collection<Library> tooOld) {
    Properties versions = versions();
    String bill =
        "\nIn Maven, import into <dependencyManagement>, before all other bills of materials:\n"
            + "  <dependency><groupId>io.grpcstream</groupId><artifactId>grpc-stream-bom</artifactId>"
            + "<version>%s</version><type>pom</type><scope>import</scope></dependency>"
                .formatted(versions.getProperty("grpcstream", "VERSION"));
    if (tooOld.stream().allMatch(Library::isOfGrpc)) {
      return bill;
    }
    return bill
        + "\nor, where spring-boot-starter-parent is the parent, set among the <properties>:\n"
        + "  <netty.version>%s</netty.version>"
            .formatted(versions.getProperty("netty", Library.SAFE_NETTY));
  }

  /** Empty if we were repackaged without it. */
  private static Properties versions() {
    Properties versions = new Properties();
    try (InputStream in = Remedy.class.getResourceAsStream(VERSIONS)) {
      if (in != null) {
        versions.load(in);
      }
      return versions;
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + VERSIONS, e);
    }
  }
}
