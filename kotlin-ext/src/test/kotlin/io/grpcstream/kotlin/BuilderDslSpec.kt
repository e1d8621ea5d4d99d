package io.grpcstream.kotlin

import io.kotest.core.spec.style.StringSpec
import io.kotest.matchers.collections.shouldBeEmpty
import io.kotest.matchers.collections.shouldNotBeEmpty
import java.io.File

/** What the marker keeps from compiling cannot be shown here: see the example in its KDoc. */
class BuilderDslSpec :
    StringSpec({
        "all builders are marked, so that one within another hides its functions" {
            val classes =
                File(
                    BuilderDsl::class.java.protectionDomain.codeSource.location
                        .toURI(),
                )
            val builders =
                classes
                    .walk()
                    .filter { it.name.endsWith("Builder.class") }
                    .map { it.relativeTo(classes).path.removeSuffix(".class") }
                    .map { Class.forName(it.replace(File.separatorChar, '.')) }
                    .toList()
            builders.shouldNotBeEmpty()
            builders.filterNot { it.isAnnotationPresent(BuilderDsl::class.java) }.shouldBeEmpty()
        }
    })
