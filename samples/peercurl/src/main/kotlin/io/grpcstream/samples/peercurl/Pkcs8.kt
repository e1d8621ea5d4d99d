package io.grpcstream.samples.peercurl

import com.google.protobuf.CodedInputStream
import com.google.protobuf.CodedOutputStream
import io.grpcstream.libp2p.crypto.KeyType
import io.grpcstream.libp2p.crypto.PrivateKey
import org.bouncycastle.asn1.ASN1ObjectIdentifier
import org.bouncycastle.asn1.ASN1OctetString
import org.bouncycastle.asn1.DERNull
import org.bouncycastle.asn1.DEROctetString
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo
import org.bouncycastle.asn1.pkcs.RSAPrivateKey
import org.bouncycastle.asn1.sec.ECPrivateKey
import org.bouncycastle.asn1.sec.SECObjectIdentifiers
import org.bouncycastle.asn1.x509.AlgorithmIdentifier
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters
import java.io.ByteArrayOutputStream
import java.math.BigInteger

/**
 * Keys as PKCS #8 has them, of and to what libp2p's protobuf holds (peer-ids.md): a seed and a public
 * key for Ed25519, a number for secp256k1, SEC 1 for ECDSA, PKCS #1 for RSA.
 */
internal object Pkcs8 {
    /** RFC 8410. */
    private val ED25519 = ASN1ObjectIdentifier("1.3.101.112")
    private const val SEED_BYTES = 32
    private const val SECP256K1_BITS = 256

    fun encode(key: PrivateKey): ByteArray {
        val data = dataOf(key)
        val info =
            when (key.type()) {
                KeyType.ED25519 -> {
                    PrivateKeyInfo(
                        AlgorithmIdentifier(ED25519),
                        DEROctetString(data.copyOf(SEED_BYTES)),
                    )
                }

                KeyType.RSA -> {
                    PrivateKeyInfo(
                        AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, DERNull.INSTANCE),
                        RSAPrivateKey.getInstance(data),
                    )
                }

                KeyType.SECP256K1 -> {
                    PrivateKeyInfo(
                        AlgorithmIdentifier(
                            X9ObjectIdentifiers.id_ecPublicKey,
                            SECObjectIdentifiers.secp256k1,
                        ),
                        ECPrivateKey(SECP256K1_BITS, BigInteger(1, data)),
                    )
                }

                KeyType.ECDSA -> {
                    val sec1 = ECPrivateKey.getInstance(data)
                    PrivateKeyInfo(
                        AlgorithmIdentifier(
                            X9ObjectIdentifiers.id_ecPublicKey,
                            sec1.parametersObject,
                        ),
                        sec1,
                    )
                }
            }
        return info.encoded
    }

    /** @throws IllegalArgumentException if it is no key, or of a kind that libp2p does not have */
    fun decode(pkcs8: ByteArray): PrivateKey {
        val info = PrivateKeyInfo.getInstance(pkcs8)
        val algorithm: ASN1ObjectIdentifier = info.privateKeyAlgorithm.algorithm
        return when (algorithm) {
            ED25519 -> {
                val seed = ASN1OctetString.getInstance(info.parsePrivateKey()).octets
                val public = Ed25519PrivateKeyParameters(seed, 0).generatePublicKey().encoded
                unmarshal(KeyType.ED25519, seed + public)
            }

            PKCSObjectIdentifiers.rsaEncryption -> {
                unmarshal(KeyType.RSA, info.privateKey.octets)
            }

            X9ObjectIdentifiers.id_ecPublicKey -> {
                ellipticCurve(info)
            }

            else -> {
                throw IllegalArgumentException("libp2p has no keys of the algorithm $algorithm")
            }
        }
    }

    private fun ellipticCurve(info: PrivateKeyInfo): PrivateKey {
        val curve = info.privateKeyAlgorithm.parameters
        val sec1 = ECPrivateKey.getInstance(info.parsePrivateKey())
        if (curve == SECObjectIdentifiers.secp256k1) {
            return unmarshal(KeyType.SECP256K1, padded(sec1.key))
        }
        // PKCS #8 tells the curve outside of the key, and libp2p within it.
        val bits =
            org.bouncycastle.asn1.x9.ECNamedCurveTable
                .getByOID(
                    ASN1ObjectIdentifier.getInstance(curve),
                )?.n
                ?.bitLength()
        requireNotNull(bits) { "the curve $curve is not known" }
        return unmarshal(KeyType.ECDSA, ECPrivateKey(bits, sec1.key, sec1.publicKey, curve).encoded)
    }

    private fun padded(number: BigInteger): ByteArray {
        val bytes = number.toByteArray().dropWhile { it == 0.toByte() }.toByteArray()
        require(bytes.size <= SEED_BYTES) { "a secp256k1 key of ${bytes.size} bytes" }
        return ByteArray(SEED_BYTES - bytes.size) + bytes
    }

    /** The second field of the protobuf; the first is the type. */
    private fun dataOf(key: PrivateKey): ByteArray {
        val input = CodedInputStream.newInstance(key.marshal())
        while (true) {
            val tag = input.readTag()
            check(tag != 0) { "a marshalled key has its data" }
            if (tag ushr 3 == 2) return input.readByteArray()
            input.skipField(tag)
        }
    }

    private fun unmarshal(
        type: KeyType,
        data: ByteArray,
    ): PrivateKey {
        val bytes = ByteArrayOutputStream()
        val output = CodedOutputStream.newInstance(bytes)
        output.writeEnum(1, type.number())
        output.writeByteArray(2, data)
        output.flush()
        return PrivateKey.unmarshal(bytes.toByteArray())
    }
}
