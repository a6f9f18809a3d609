package org.satchel.demo

import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

/** What the layers may know of each other, and what both languages say. */
class SourceTest {
    private val sources = File(System.getProperty("satchel.sources"))
    private fun files(folder: String) = File(sources, "kotlin/org/satchel/demo/$folder").walk().filter { it.extension == "kt" }.toList()
    private fun strings(folder: String) = Regex("""name="(\w+)">([^<]*)<""").findAll(File(sources, "res/$folder/strings.xml").readText()).associate { it.groupValues[1] to it.groupValues[2] }

    @Test fun `one file knows the library and no view model knows the framework`() {
        val knows = files(".").filter { "org.satchel.core" in it.readText() }.map { it.name }
        assertEquals(listOf("Repository.kt"), knows)
        val models = files("model") + files("repository")
        assertTrue(models.size > 5)
        assertEquals(emptyList<String>(), models.filter { Regex("""^import android""", RegexOption.MULTILINE).containsMatchIn(it.readText()) }.map { it.name })
        assertTrue("control", files("screen").any { "import android" in it.readText() })
    }

    @Test fun `both languages have every string with the same places to fill in`() {
        val (english, spanish) = strings("values") to strings("values-es")
        assertTrue(english.size > 100)
        assertEquals(english.keys, spanish.keys)
        val places = Regex("""%\d\$[sd]""")
        for ((name, text) in english) {
            assertEquals(name, places.findAll(text).map { it.value }.toSortedSet(), places.findAll(spanish.getValue(name)).map { it.value }.toSortedSet())
        }
    }

    @Test fun `nothing on the screen calls a participant what nobody wants to be called`() {
        val words = Regex("""\b(client|addict|homeless person|prostitute|offender|abuser)s?\b""", RegexOption.IGNORE_CASE)
        assertTrue("control", words.containsMatchIn("two clients"))
        assertEquals(emptyMap<String, String>(), strings("values").filterValues { words.containsMatchIn(it) })
    }
}
