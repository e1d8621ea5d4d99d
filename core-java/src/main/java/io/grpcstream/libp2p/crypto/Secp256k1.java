package io.grpcstream.libp2p.crypto;

import java.math.BigInteger;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.crypto.ec.CustomNamedCurves;
import org.bouncycastle.crypto.params.ECDomainParameters;

/** Bitcoin's curve (SEC 2, section 2.4.1). The JDK dropped it in version 16. */
final class Secp256k1 {
  static final ECDomainParameters CURVE = curve();

  /** Signatures with an {@code s} above this have an equally valid twin below it. */
  static final BigInteger HALF_ORDER = CURVE.getN().shiftRight(1);

  private Secp256k1() {}

  private static ECDomainParameters curve() {
    X9ECParameters curve = CustomNamedCurves.getByName("secp256k1");
    return new ECDomainParameters(curve.getCurve(), curve.getG(), curve.getN(), curve.getH());
  }
}
