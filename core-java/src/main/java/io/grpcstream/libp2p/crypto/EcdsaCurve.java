package io.grpcstream.libp2p.crypto;

import java.math.BigInteger;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.math.ec.FixedPointCombMultiplier;

/** The NIST curves (FIPS 186-4, appendix D.1.2) that the JDK still has. */
final class EcdsaCurve {
  private static final List<EcdsaCurve> CURVES =
      List.of(
          new EcdsaCurve("P-256", "2a8648ce3d030107"),
          new EcdsaCurve("P-384", "2b81040022"),
          new EcdsaCurve("P-521", "2b81040023"));

  private final String name;
  private final byte[] oid;
  private final X9ECParameters parameters;

  private EcdsaCurve(String name, String oid) {
    this.name = name;
    this.oid = HexFormat.of().parseHex(oid);
    this.parameters = CustomNamedCurves.getByName(name);
  }

  static EcdsaCurve ofOid(String what, byte[] oid) {
    for (EcdsaCurve curve : CURVES) {
      if (Arrays.equals(curve.oid, oid)) {
        return curve;
      }
    }
    throw new KeyFormatException(what + ": the curve is none of P-256, P-384, P-521");
  }

  /** The content of the curve's object identifier. */
  byte[] oid() {
    return oid.clone();
  }

  /** The bytes of a private scalar: as many as the curve's order has. */
  int scalarBytes() {
    return (parameters.getN().bitLength() + 7) / 8;
  }

  /** Fails unless {@code point} is the uncompressed form of a point of this curve. */
  void check(String what, byte[] point) {
    if (point.length == 0 || point[0] != 4) {
      throw new KeyFormatException(what + ": not an uncompressed point");
    }
    try {
      parameters.getCurve().decodePoint(point);
    } catch (IllegalArgumentException e) {
      throw new KeyFormatException(what + ": not a point of " + this, e);
    }
  }

  /** The uncompressed public point of {@code scalar}, which must be in the curve's range. */
  byte[] publicPoint(String what, BigInteger scalar) {
    if (scalar.signum() == 0 || scalar.compareTo(parameters.getN()) >= 0) {
      throw new KeyFormatException(what + ": zero, or not below the order of " + this);
    }
    return new FixedPointCombMultiplier().multiply(parameters.getG(), scalar).getEncoded(false);
  }

  @Override
  public String toString() {
    return name;
  }
}
