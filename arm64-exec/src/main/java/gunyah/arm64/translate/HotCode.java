package gunyah.arm64.translate;

import gunyah.arm64.decode.Insn;

/** A page of code of which something is to be translated. Thread safe. */
public interface HotCode {
    /** {@return a copy of the decoded instructions by slot, null where there is none or it cannot be translated} */
    Insn[] instructions();

    /**
     * {@return a copy: by slot, one more than the slot of a jump by register that often went there, 0 where none did}
     */
    short[] jumpedFrom();

    /** {@return whether the page has a region that may be entered at the slot} */
    boolean isTranslated(int slot);
}
