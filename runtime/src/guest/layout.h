/* Constants shared by assembler and C. */
#define MAX_CPUS 8
#define STACK_SIZE 8192
#define FRAME_SIZE 272

#define UART_BASE 0x09000000
#define UART_INTID 33
#define GICD_BASE 0x08000000
#define GICR_BASE 0x080a0000
#define GICR_STRIDE 0x20000
#define RAM_BASE 0x40000000
#define TIMER_INTID 27
#define SGI_MESSAGE 1
