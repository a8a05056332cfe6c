/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files beside this folder use of Foundation, declared by us from its documentation, so
 * that they can be compiled where there is no macOS. Never used on macOS.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define API_AVAILABLE(platform) __attribute__ ((availability (platform)))
#define macos(version) macos, introduced = version
#define NS_ENUM(type, name)                                                                        \
  enum name : type name;                                                                           \
  enum name : type
#define YES ((BOOL) 1)
#define NO ((BOOL) 0)
#define nil ((id) 0)

typedef bool BOOL;
typedef unsigned long NSUInteger;
typedef long NSInteger;
typedef double CFTimeInterval;

typedef struct
{
  NSUInteger location;
  NSUInteger length;
} NSRange;

typedef struct
{
  unsigned long state;
  id __unsafe_unretained *itemsPtr;
  unsigned long *mutationsPtr;
  unsigned long extra[5];
} NSFastEnumerationState;

static inline NSRange
NSMakeRange (NSUInteger location, NSUInteger length)
{
  NSRange range = { location, length };

  return range;
}

@class NSString;

@protocol NSObject
- (BOOL)respondsToSelector:(SEL)selector;
@property (readonly, copy) NSString *description;
@end

__attribute__ ((objc_root_class)) @interface NSObject <NSObject>
+ (instancetype)alloc;
+ (instancetype) new;
- (instancetype)init;
@end

@interface NSString : NSObject
+ (instancetype)stringWithUTF8String:(const char *)text;
+ (instancetype)stringWithFormat:(NSString *)format, ...;
@property (readonly) const char *UTF8String;
@property (readonly) NSUInteger length;
- (BOOL)isEqualToString:(NSString *)other;
- (NSString *)stringByAppendingString:(NSString *)other;
- (NSString *)stringByAppendingPathComponent:(NSString *)other;
@end

@interface NSArray <Element> : NSObject
@property (readonly) NSUInteger count;
- (Element)objectAtIndexedSubscript:(NSUInteger)index;
- (NSUInteger)countByEnumeratingWithState:(NSFastEnumerationState *)state
                                  objects:(id __unsafe_unretained[])objects
                                    count:(NSUInteger)count;
@end

@interface NSMutableArray <Element> : NSArray <Element>
+ (instancetype)array;
- (void)addObject:(Element)object;
@end

@interface NSDictionary <Key, Element> : NSObject
- (Element)objectForKeyedSubscript:(Key)key;
@end

@interface NSData : NSObject
@property (readonly) NSUInteger length;
@property (readonly) const void *bytes;
@end

@interface NSURL : NSObject
+ (NSURL *)fileURLWithPath:(NSString *)path;
@end

@interface NSError : NSObject
@property (readonly, copy) NSString *domain;
@property (readonly) NSInteger code;
@property (readonly, copy) NSString *localizedDescription;
@property (readonly, copy) NSDictionary<NSString *, id> *userInfo;
@end

@interface NSProcessInfo : NSObject
@property (class, readonly) NSProcessInfo *processInfo;
@property (readonly, copy) NSString *operatingSystemVersionString;
@end

@interface NSFileManager : NSObject
@property (class, readonly) NSFileManager *defaultManager;
- (BOOL)fileExistsAtPath:(NSString *)path;
- (BOOL)removeItemAtPath:(NSString *)path error:(NSError *__autoreleasing *)error;
@end

extern NSString *NSTemporaryDirectory (void);
