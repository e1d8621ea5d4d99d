package io.grpcstream.samples.interop;

import java.util.List;

/** One place in the matrix: who dials whom, and how the connection is secured. */
record Cell(String dialler, String listener, Combination secured) {
  /** The secure channel, by its short name, and the kind of both peers' keys. */
  record Combination(String security, String key) {
    static final List<String> SECURITIES = List.of("noise", "tls");

    /** The protocol id. */
    String protocol() {
      return switch (security) {
        case "noise" -> "/noise";
        case "tls" -> "/tls/1.0.0";
        default -> throw new IllegalArgumentException("no such secure channel: " + security);
      };
    }

    /** The scenarios to run: all with Ed25519 keys, the basic ones with the others. */
    List<String> scenarios(List<String> all) {
      return key.equals("ed25519") ? all : all.subList(0, BASIC);
    }

    @Override
    public String toString() {
      return security + ", " + key;
    }
  }

  /** The scenarios that all kinds of keys run: connect, and the four kinds of call. */
  private static final int BASIC = 5;

  @Override
  public String toString() {
    return "%s dials %s, %s".formatted(dialler, listener, secured);
  }
}
