package gunyah.rm.vm;

/** A VM's console: a line of characters between it and its owner, without a buffer (vm_console_simple.c). */
final class Console {
    boolean openAtVm;
    boolean openAtOwner;
}
