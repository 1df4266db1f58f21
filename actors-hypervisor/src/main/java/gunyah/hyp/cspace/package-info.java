/**
 * Capability spaces: {@link gunyah.hyp.cspace.CSpace} maps opaque 64-bit ids to objects with rights. Look-ups are lock
 * free on any thread; changes take the cspace's lock, then the object's {@link gunyah.hyp.cspace.Lineage}. The calls
 * are in {@link gunyah.hyp.cspace.CSpaceCalls}. Source: Gunyah hyp/core/cspace_twolevel, API document "Capability
 * Space".
 */
package gunyah.hyp.cspace;
