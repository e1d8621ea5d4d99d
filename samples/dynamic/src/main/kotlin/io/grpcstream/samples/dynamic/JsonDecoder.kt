package io.grpcstream.samples.dynamic

import com.google.protobuf.ByteString
import com.google.protobuf.Descriptors.Descriptor
import com.google.protobuf.Descriptors.FieldDescriptor
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType
import com.google.protobuf.Descriptors.OneofDescriptor
import com.google.protobuf.DynamicMessage
import java.math.BigDecimal
import java.math.BigInteger
import java.util.Base64

/** Makes messages of JSON values. */
internal class JsonDecoder(
    private val schema: Schema,
) {
    private val fields = HashMap<Descriptor, Map<String, FieldDescriptor>>()
    private val wellKnown = WellKnownDecoder(this, schema)

    fun message(
        type: Descriptor,
        value: JsonNode,
        path: String,
    ): DynamicMessage =
        wellKnown.message(type, value, path) ?: plain(type, members(type, value, path), path)

    /** The members of an object that has to be a message of this type. */
    fun members(
        type: Descriptor,
        value: JsonNode,
        path: String,
    ): List<JsonNode.Member> =
        (
            value as? JsonNode.Obj
                ?: wrong(value, path, "expected an object (${type.fullName}), found ${value.kind}")
        ).members

    fun plain(
        type: Descriptor,
        members: List<JsonNode.Member>,
        path: String,
    ): DynamicMessage {
        val builder = DynamicMessage.newBuilder(type)
        val seen = HashSet<FieldDescriptor>()
        val chosen = HashMap<OneofDescriptor, String>()
        for (member in members) {
            val field = field(type, member, path)
            val inside = if (path.isEmpty()) member.name else "$path.${member.name}"
            if (!seen.add(
                    field,
                )
            ) {
                throw JsonException("the field is there twice", member.place, inside)
            }
            if (member.value is JsonNode.Null && !acceptsNull(field)) continue
            field.realContainingOneof?.let { oneOf ->
                chosen.put(oneOf, member.name)?.let {
                    throw JsonException(
                        "only one of $it and ${member.name} can be set (oneof ${oneOf.name})",
                        member.place,
                        inside,
                    )
                }
            }
            set(builder, field, member.value, inside)
        }
        return builder.buildPartial()
    }

    private fun acceptsNull(field: FieldDescriptor): Boolean =
        !field.isRepeated &&
            when (field.javaType) {
                JavaType.MESSAGE -> field.messageType.fullName == "google.protobuf.Value"
                JavaType.ENUM -> field.enumType.fullName == NULL_VALUE
                else -> false
            }

    private fun field(
        type: Descriptor,
        member: JsonNode.Member,
        path: String,
    ): FieldDescriptor {
        val name = member.name
        if (name.startsWith('[') && name.endsWith(']')) {
            val extension =
                schema.extensions.findImmutableExtensionByName(
                    name.substring(
                        1,
                        name.length - 1,
                    ),
                )
            if (extension != null &&
                extension.descriptor.containingType == type
            ) {
                return extension.descriptor
            }
        }
        val all =
            fields.getOrPut(type) {
                type.fields
                    .flatMap {
                        listOf(
                            it.jsonName to it,
                            it.name to it,
                        )
                    }.toMap()
            }
        return all[name] ?: run {
            val names = type.fields.map { it.jsonName }
            val near = NearMisses.of(name, names)
            val hint =
                when {
                    near.isNotEmpty() -> "did you mean ${near.joinToString(" or ")}?"

                    names.isEmpty() -> "it has no fields"

                    else -> "it has ${names.take(
                        LISTED,
                    ).joinToString()}${if (names.size > LISTED) ", …" else ""}"
                }
            throw JsonException("no field \"$name\" in ${type.fullName}: $hint", member.place, path)
        }
    }

    private fun set(
        builder: DynamicMessage.Builder,
        field: FieldDescriptor,
        value: JsonNode,
        path: String,
    ) {
        when {
            field.isMapField -> {
                map(builder, field, value, path)
            }

            field.isRepeated -> {
                val array =
                    value as? JsonNode.Arr
                        ?: wrong(value, path, "expected an array, found ${value.kind}")
                array.elements.forEachIndexed { index, element ->
                    builder.addRepeatedField(field, single(field, element, "$path[$index]"))
                }
            }

            else -> {
                builder.setField(field, single(field, value, path))
            }
        }
    }

    private fun map(
        builder: DynamicMessage.Builder,
        field: FieldDescriptor,
        value: JsonNode,
        path: String,
    ) {
        val entries =
            value as? JsonNode.Obj
                ?: wrong(value, path, "expected an object (a map), found ${value.kind}")
        val keyField = field.messageType.findFieldByNumber(1)
        val valueField = field.messageType.findFieldByNumber(2)
        val keys = HashSet<Any>()
        for (member in entries.members) {
            val inside = "$path[\"${member.name}\"]"
            val key = key(keyField, member, inside)
            if (!keys.add(key)) throw JsonException("the key is there twice", member.place, inside)
            val entry =
                DynamicMessage
                    .newBuilder(field.messageType)
                    .setField(keyField, key)
                    .setField(valueField, single(valueField, member.value, inside))
            builder.addRepeatedField(field, entry.build())
        }
    }

    /** Keys are strings in JSON, whatever they are. */
    private fun key(
        field: FieldDescriptor,
        member: JsonNode.Member,
        path: String,
    ): Any =
        when {
            field.javaType != JavaType.BOOLEAN -> {
                single(
                    field,
                    JsonNode.Str(member.place, member.name),
                    path,
                )
            }

            member.name == "true" -> {
                true
            }

            member.name == "false" -> {
                false
            }

            else -> {
                throw JsonException(
                    "expected the key \"true\" or \"false\"",
                    member.place,
                    path,
                )
            }
        }

    fun single(
        field: FieldDescriptor,
        value: JsonNode,
        path: String,
    ): Any =
        when (field.javaType!!) {
            JavaType.INT -> {
                if (field.isUnsigned) {
                    integer(
                        value,
                        path,
                        UINT32,
                    ).toInt()
                } else {
                    integer(value, path, INT32).toInt()
                }
            }

            JavaType.LONG -> {
                if (field.isUnsigned) {
                    integer(
                        value,
                        path,
                        UINT64,
                    ).toLong()
                } else {
                    integer(value, path, INT64).toLong()
                }
            }

            JavaType.FLOAT -> {
                real(value, path, "float", Float.MAX_VALUE.toDouble()).toFloat()
            }

            JavaType.DOUBLE -> {
                real(value, path, "double", Double.MAX_VALUE)
            }

            JavaType.BOOLEAN -> {
                (
                    value as? JsonNode.Bool
                        ?: wrong(value, path, "expected true or false, found ${value.kind}")
                ).value
            }

            JavaType.STRING -> {
                string(value, path)
            }

            JavaType.BYTE_STRING -> {
                bytes(value, path)
            }

            JavaType.ENUM -> {
                enumeration(field, value, path)
            }

            JavaType.MESSAGE -> {
                message(field.messageType, value, path)
            }
        }

    fun string(
        value: JsonNode,
        path: String,
    ): String =
        (
            value as? JsonNode.Str
                ?: wrong(value, path, "expected a string, found ${value.kind}")
        ).text

    fun bytes(
        value: JsonNode,
        path: String,
    ): ByteString {
        val text =
            value as? JsonNode.Str
                ?: wrong(value, path, "expected bytes as a string in base64, found ${value.kind}")
        return try {
            val plain =
                text.text
                    .trimEnd('=')
                    .replace('-', '+')
                    .replace('_', '/')
            ByteString.copyFrom(Base64.getDecoder().decode(plain))
        } catch (e: IllegalArgumentException) {
            throw JsonException("no base64: ${e.message}", value.place, path, e)
        }
    }

    private fun enumeration(
        field: FieldDescriptor,
        value: JsonNode,
        path: String,
    ): Any {
        val type = field.enumType
        return when (value) {
            is JsonNode.Null if type.fullName == NULL_VALUE -> {
                type.findValueByNumber(0)
            }

            is JsonNode.Str -> {
                type.findValueByName(value.text) ?: run {
                    val near = NearMisses.of(value.text, type.values.map { it.name })
                    val shown = near.ifEmpty { type.values.take(LISTED).map { it.name } }
                    wrong(
                        value,
                        path,
                        "no value ${value.kind} in ${type.fullName}: it has ${shown.joinToString()}",
                    )
                }
            }

            is JsonNode.Num -> {
                val number = integer(value, path, INT32).toInt()
                if (type.isClosed) {
                    type.findValueByNumber(number)
                        ?: wrong(value, path, "no value $number in ${type.fullName}")
                } else {
                    type.findValueByNumberCreatingIfUnknown(number)
                }
            }

            else -> {
                wrong(value, path, "expected a name of ${type.fullName}, found ${value.kind}")
            }
        }
    }

    private fun integer(
        value: JsonNode,
        path: String,
        range: IntegerRange,
    ): BigInteger {
        val text =
            when (value) {
                is JsonNode.Num -> value.text
                is JsonNode.Str -> value.text
                else -> wrong(value, path, "expected an ${range.name}, found ${value.kind}")
            }
        val number = text.takeIf { it.length <= MAX_DIGITS }?.toBigDecimalOrNull()
        // A number such as 1e999999999 must not be written out.
        val whole =
            number
                ?.takeIf { it.signum() == 0 || it.precision() - it.scale() in 1..MAX_DIGITS }
                ?.let { if (it.isWhole()) it.toBigInteger() else null }
        if (whole == null || whole < range.from || whole > range.to) {
            wrong(value, path, "expected an ${range.name}, found ${value.kind}")
        }
        return whole
    }

    private fun BigDecimal.isWhole(): Boolean = signum() == 0 || stripTrailingZeros().scale() <= 0

    private fun real(
        value: JsonNode,
        path: String,
        name: String,
        max: Double,
    ): Double {
        val text =
            when (value) {
                is JsonNode.Num -> value.text
                is JsonNode.Str -> value.text
                else -> wrong(value, path, "expected a $name, found ${value.kind}")
            }
        return when (text) {
            "NaN" -> {
                Double.NaN
            }

            "Infinity" -> {
                Double.POSITIVE_INFINITY
            }

            "-Infinity" -> {
                Double.NEGATIVE_INFINITY
            }

            else -> {
                val number = text.takeIf { REAL.matches(it) }?.toDoubleOrNull()
                if (number == null || kotlin.math.abs(number) > max * ROUNDING) {
                    wrong(value, path, "expected a $name, found ${value.kind}")
                }
                number
            }
        }
    }

    private class IntegerRange(
        val name: String,
        val from: BigInteger,
        val to: BigInteger,
    )

    companion object {
        private const val NULL_VALUE = "google.protobuf.NullValue"
        private const val LISTED = 12
        private const val MAX_DIGITS = 1_000

        /** A float's greatest value may be written a little larger. */
        private const val ROUNDING = 1.0 + 1e-8
        private val REAL = Regex("""[-+0-9.eE]+""")
        private val INT32 = range("int32", true, 32)
        private val INT64 = range("int64", true, 64)
        private val UINT32 = range("uint32", false, 32)
        private val UINT64 = range("uint64", false, 64)

        private fun range(
            name: String,
            signed: Boolean,
            bits: Int,
        ): IntegerRange {
            val one = BigInteger.ONE
            val to = one.shiftLeft(if (signed) bits - 1 else bits)
            return IntegerRange(name, if (signed) to.negate() else BigInteger.ZERO, to - one)
        }

        private val FieldDescriptor.isUnsigned: Boolean
            get() =
                when (type) {
                    FieldDescriptor.Type.UINT32,
                    FieldDescriptor.Type.FIXED32,
                    FieldDescriptor.Type.UINT64,
                    FieldDescriptor.Type.FIXED64,
                    -> true

                    else -> false
                }

        fun wrong(
            value: JsonNode,
            path: String,
            what: String,
        ): Nothing = throw JsonException(what, value.place, path)
    }
}
