/* Answers as NVML does on a machine with two GPUs, of which the second tells nothing of its power. */
#include <stdint.h>
#include <string.h>

typedef struct { unsigned int gpu, memory; } utilization;
typedef struct { unsigned long long total, free_bytes, used; } memory;

static int is_first(const void* device) { return (uintptr_t)device == 0x1000; }

int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
const char* nvmlErrorString(int status) { return status ? "failure" : "success"; }
int nvmlDeviceGetCount_v2(unsigned int* count) { *count = 2; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void** device) { *device = (void*)(uintptr_t)(0x1000 + index); return 0; }
int nvmlDeviceGetName(void* device, char* name, unsigned int length) { strncpy(name, is_first(device) ? "First" : "Second", length); return 0; }
int nvmlDeviceGetUtilizationRates(void* device, utilization* rates) { rates->gpu = is_first(device) ? 93 : 7; rates->memory = 40; return 0; }
int nvmlDeviceGetMemoryInfo(void* device, memory* info) { (void)device; info->total = 16ULL << 30; info->used = 3ULL << 29; info->free_bytes = 1; return 0; }
int nvmlDeviceGetPowerUsage(void* device, unsigned int* milliwatts) { if (!is_first(device)) { return 3; } *milliwatts = 345600; return 0; }
int nvmlDeviceGetTemperature(void* device, int sensor, unsigned int* celsius) { (void)device; *celsius = sensor == 0 ? 61 : 0; return 0; }
