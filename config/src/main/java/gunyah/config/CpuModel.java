package gunyah.config;

/** Which optional features of the architecture the vCPUs of a machine have. */
public enum CpuModel {
    /** Armv8.0 without any option. */
    BASE,
    /** What guests are commonly built for, and nothing that costs speed. */
    DEFAULT,
    /** All that the processor knows, pointer authentication and random numbers included. */
    MAX
}
