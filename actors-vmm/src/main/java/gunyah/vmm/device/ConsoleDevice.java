package gunyah.vmm.device;

/** The device a guest has its console on. Thread safe; nothing blocks. */
public interface ConsoleDevice {
    /** Types into the guest: every byte arrives, in order. */
    void type(byte[] input);

    /** {@return bytes typed that the guest has not taken} */
    int untaken();

    /** The reader of the guest's output, which was behind, takes more. */
    void transmitterReady();
}
