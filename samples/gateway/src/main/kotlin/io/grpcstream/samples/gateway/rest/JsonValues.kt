package io.grpcstream.samples.gateway.rest

import com.fasterxml.jackson.core.JsonProcessingException
import com.fasterxml.jackson.databind.DeserializationFeature
import com.fasterxml.jackson.databind.JsonNode
import com.fasterxml.jackson.databind.json.JsonMapper

/** JSON that is no message, or several of them. */
internal val JSON: JsonMapper =
    JsonMapper
        .builder()
        .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .build()

/** [text] as a string of JSON. */
internal fun quoted(text: String): String = JSON.writeValueAsString(text)

/** The one value of JSON that [text] is. */
internal fun oneValue(text: String): JsonNode =
    try {
        JSON.readTree(text)
    } catch (e: JsonProcessingException) {
        throw IllegalArgumentException("the body is no JSON: ${e.originalMessage}", e)
    }

/**
 * What [read] makes of the values that [text] has one after the other, as lines or not, or as the
 * elements of one array. No value is kept while the next is read: as a tree it may take fifty times the
 * memory of its text.
 *
 * @throws IllegalArgumentException if it is no such text, or has more than [most] values
 */
internal fun <T> manyValues(
    text: String,
    most: Int,
    read: (JsonNode) -> T,
): List<T> =
    try {
        val reader =
            JSON
                .readerFor(JsonNode::class.java)
                .without(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        reader.readValues<JsonNode>(text).use { values ->
            buildList {
                while (values.hasNextValue()) {
                    require(
                        size < most,
                    ) { "the body has more than $most requests, the gateway's limit" }
                    add(read(values.nextValue()))
                }
            }
        }
    } catch (e: JsonProcessingException) {
        throw IllegalArgumentException("the body is no sequence of JSON: ${e.originalMessage}", e)
    }
