package org.satchel.core

import java.nio.ByteBuffer

/** Publishes a catalogue package, as `buildCatalogue` makes it, to the team. Returns how many resources it lists. */
fun Unlocked.publishCatalogue(catalogue: ByteArray): UInt =
    publishCatalogue(ByteBuffer.allocateDirect(catalogue.size).put(catalogue).flip())
